import { expect, test } from 'vitest';
import { contextOf } from '../../src/room/room.ts';
import { MailIntake } from '../../src/runtime/mail-intake.ts';
import { createIdSource } from '../../src/index.ts';
import { nodeHost } from '../../src/runtime.ts';
import { mailboxOf } from '../../src/room/context.ts';
import { createSteppedClock } from '../hostile/stepped-clock.ts';
import { WorkflowRoom } from './workflow-room.ts';

const SECOND_MS = 1_000;

test('mail that came after the last listing, and before a timer was due, is seen although that listing is not used up', async () => {
  await using room = await WorkflowRoom.make();
  const opened = await room.open();
  const alice = await opened.join('alice');
  await opened.join('worker');
  const mailbox = mailboxOf(contextOf(opened), 'worker');
  if (!mailbox) throw new Error('worker has a mailbox');
  const sentAt = (timeMs: number, content: string): Promise<unknown> =>
    alice.send({ to: 'worker', type: 'INFO', content, id: createIdSource(nodeHost.randomBytes).next(timeMs) });
  const intake = new MailIntake(mailbox, { isUnclean: false });
  const next = (sentBefore: number): string | undefined =>
    intake.next({ isKnown: () => false, waits: () => false, sentBefore })?.message.content;
  const now = Date.now();
  // Its sender's clock is ahead, so that it is never early.
  await sentAt(now + 60 * SECOND_MS, 'from ahead');
  expect(next(now)).toBeUndefined();
  await sentAt(now + 4 * SECOND_MS, 'in time');
  expect(next(now + 5 * SECOND_MS)).toBe('in time');
  expect(next(now + 5 * SECOND_MS)).toBeUndefined();
  expect([next(Infinity), next(Infinity)]).toEqual(['from ahead', undefined]);
});

// It was refused for good, as a message from the future.
test('mail from the future waits, and is taken once the clock agrees', async () => {
  await using room = await WorkflowRoom.make();
  const clock = createSteppedClock();
  const opened = await room.open({ ...nodeHost, clock });
  const alice = await opened.join('alice');
  await opened.join('worker');
  const mailbox = mailboxOf(contextOf(opened), 'worker');
  if (!mailbox) throw new Error('worker has a mailbox');
  const { id } = await alice.send({ to: 'worker', type: 'INFO', content: 'x' });
  clock.advance(-30 * 3600 * SECOND_MS);
  const intake = new MailIntake(mailbox, { isUnclean: true });
  const next = (): string | undefined =>
    intake.next({ isKnown: () => false, waits: () => false, sentBefore: Infinity })?.message.id;
  expect(next()).toBeUndefined();
  expect(opened.status(id)).toMatchObject([{ state: 'delivered' }]);
  clock.advance(30 * 3600 * SECOND_MS);
  expect(next()).toBe(id);
});
