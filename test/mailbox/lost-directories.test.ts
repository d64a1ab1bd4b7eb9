/**
 * Root cause: programs that clean up or copy trees leave out empty directories, and each missing directory of a mailbox
 * except `new` broke it in another way: `read` failed, `send` failed, and without `cur` a reader listed `new` again and
 * again, because a rename into a missing directory looked like a message that was gone.
 */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { acknowledge, claimNew, reject, release } from '../../src/mailbox/claim.ts';
import { listDead, retryDead } from '../../src/mailbox/dead.ts';
import { drain } from '../../src/mailbox/drain.ts';
import { listWaiting, settle } from '../../src/mailbox/exclusive-reader.ts';
import { peek, statusIn } from '../../src/mailbox/status.ts';
import { purge } from '../../src/mailbox/purge.ts';
import { sweep } from '../../src/mailbox/sweep.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { LEASE_MS, MailboxSetUp } from './mailbox-set-up.ts';

const scratch = scratchDirectories('lost-directories');
const BESIDE_NEW = ['tmp', 'cur', 'done', 'dead', 'dead/refused'];

async function without(...lost: readonly string[]): Promise<MailboxSetUp> {
  const setUp = await MailboxSetUp.in(scratch());
  for (const name of lost) fs.rmSync(`${setUp.mailbox.layout.directory}/${name}`, { recursive: true });
  return setUp;
}

function claimed(setUp: MailboxSetUp, name: string): NonNullable<ReturnType<typeof claimNew>> {
  const claim = claimNew(setUp.mailbox, { name, leaseMs: LEASE_MS });
  if (!claim) throw new Error(`${name} was not claimed`);
  return claim;
}

test.each([...BESIDE_NEW, 'tmp cur done dead'])('a message passes through a mailbox without %s', async (lost) => {
  const setUp = await without(...lost.split(' '));
  expect(await setUp.deliver(setUp.letter())).toMatchObject({ outcome: 'delivered' });
  const [claim] = drain(setUp.mailbox, { leaseMs: LEASE_MS });
  if (claim) acknowledge(setUp.mailbox, claim);
  expect(claim && statusIn(setUp.mailbox, { idEnding: claim.message.id, history: true })).toMatchObject([
    { state: 'acknowledged' },
  ]);
});

test('a directory lost while a message is on its way is made where the message goes next', async () => {
  const setUp = await without();
  const { layout } = setUp.mailbox;
  for (const [step, lost] of [
    [acknowledge, layout.done],
    [release, layout.done],
    [(mailbox, claim) => reject(mailbox, { claim, detail: 'no' }), layout.dead],
    [(mailbox, claim) => reject(mailbox, { claim, detail: 'no' }), layout.tmp],
  ] as readonly [(mailbox: MailboxSetUp['mailbox'], claim: ReturnType<typeof claimed>) => void, string][]) {
    const sealed = setUp.letter();
    await setUp.deliver(sealed);
    const claim = claimed(setUp, sealed.name);
    fs.rmSync(lost, { recursive: true });
    step(setUp.mailbox, claim);
  }
  expect(listDead(setUp.mailbox)).toMatchObject([{ reason: 'rejected' }, { reason: 'rejected' }]);
  fs.rmSync(layout.cur, { recursive: true });
  retryDead(setUp.mailbox, listDead(setUp.mailbox)[0]?.name ?? '');
  expect(setUp.names('cur')).toHaveLength(1);
});

test('what is not a message is refused even if the directory for it is missing', async () => {
  const setUp = await without('tmp', 'dead');
  fs.writeFileSync(`${setUp.mailbox.layout.new}/no-message`, 'x');
  expect([...drain(setUp.mailbox, { leaseMs: LEASE_MS })]).toEqual([]);
  expect(listDead(setUp.mailbox)).toMatchObject([{ reason: 'bad-name', name: 'no-message' }]);
});

test('an exclusive reader settles messages there too', async () => {
  const setUp = await without('done', 'cur');
  const sealed = setUp.letter();
  await setUp.deliver(sealed);
  expect(listWaiting(setUp.mailbox)).toMatchObject([{ name: sealed.name }]);
  settle(setUp.mailbox, sealed.name);
  expect(setUp.names('done')).toHaveLength(1);
});

test('look, sweep and purge find nothing there and succeed', async () => {
  const setUp = await without('tmp', 'cur', 'done', 'dead');
  expect(peek(setUp.mailbox, { limit: 10 })).toMatchObject({ unsettled: [], more: 0, unfit: 0 });
  expect(listDead(setUp.mailbox)).toEqual([]);
  expect(sweep(setUp.mailbox)).toBe(0);
  expect(await purge(setUp.mailbox)).toMatchObject({ days: 0 });
});

test('a claim that another reader has taken is still lost', async () => {
  const setUp = await without();
  const sealed = setUp.letter();
  await setUp.deliver(sealed);
  const claim = claimed(setUp, sealed.name);
  fs.rmSync(setUp.mailbox.layout.cur, { recursive: true });
  expect(() => acknowledge(setUp.mailbox, claim)).toThrow(expect.objectContaining({ code: 'LEASE_LOST' }));
});
