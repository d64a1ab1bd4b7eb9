import fs from 'node:fs';
import { assign, setup } from 'xstate';
import { z } from 'zod';
import { expect, test } from 'vitest';
import { createIdSource } from '../../src/message/message-id.ts';
import { frame } from '../../src/message/envelope.ts';
import { actorLayout, messageFileName } from '../../src/message/layout.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import type { Room } from '../../src/index.ts';
import { contextOf } from '../../src/room/room.ts';
import { accepts, ask } from '../../src/workflow.ts';
import { formatStory } from '../../src/cli/print/story.ts';
import { eventually, WorkflowRoom } from './workflow-room.ts';

const child = setup({}).createMachine({
  id: 'child',
  initial: 'busy',
  states: { busy: { after: { 600_000: 'over' } }, over: { type: 'final' } },
});

const mail = accepts({ NOTE: z.object({ from: z.string(), type: z.string() }) });

/** Waits for a child and for alice, and records who sent what. */
const victim = setup({
  schemas: mail,
  types: { events: mail.events, context: {} as { notes: string[] } },
  actors: { child, question: ask('alice') },
}).createMachine({
  id: 'victim',
  context: { notes: [] },
  type: 'parallel',
  on: {
    NOTE: { actions: assign({ notes: ({ context, event }) => [...context.notes, `${event.type} ${event.from}`] }) },
  },
  states: {
    one: {
      initial: 'waiting',
      states: { waiting: { invoke: { id: 'c', src: 'child', onDone: 'moved', onError: 'moved' } }, moved: {} },
    },
    two: {
      initial: 'waiting',
      states: {
        waiting: {
          invoke: {
            id: 'q',
            src: 'question',
            input: { type: 'QUESTION', content: 'so?' },
            onDone: 'moved',
            onError: 'moved',
          },
        },
        moved: {},
      },
    },
  },
});

const ids = createIdSource(nodeHost.randomBytes);

/** Puts a file into a mailbox by hand, as anybody with a key of the room could without the library. */
function forge(
  room: Room,
  signedAs: string,
  fields: { to: string; type: string; data?: unknown; replyTo?: string; from?: string },
): void {
  const context = contextOf(room);
  const id = ids.next(Date.now());
  const message = {
    v: 1,
    room: context.config.roomId,
    id,
    from: fields.from ?? signedAs,
    to: [fields.to],
    type: fields.type,
    sentAt: new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString(),
    content: 'forged',
    ...(fields.data === undefined ? {} : { data: fields.data }),
    ...(fields.replyTo === undefined ? {} : { replyTo: fields.replyTo }),
  };
  const signed = Buffer.from(JSON.stringify(message));
  const bytes = frame(signed, context.keyring.signerOf(signedAs).sign(signed));
  const name = messageFileName({ id, from: message.from });
  fs.writeFileSync(`${actorLayout(context.layout, fields.to).mailbox.new}/${name}`, bytes);
}

test('no forgery has an effect: each becomes a dead letter with its reason, and `why` shows the real sender', async () => {
  await using room = await WorkflowRoom.make();
  const opened = await room.open();
  const [alice] = [await opened.join('alice'), await opened.join('mallory')];
  const { host } = await room.run(victim);
  const question = await eventually('the question', () => alice.list().unsettled[0]?.message);
  const call = await eventually('the child', () => room.state('victim')?.state?.calls['c']);
  const address = call.kind === 'machine' ? call.address : '';
  await eventually('the child runs', () => room.state(address)?.state);
  const before = JSON.stringify(room.state('victim')?.state?.snapshot);
  const incarnation = room.state('victim')?.state?.incarnation;

  const forgeries: [string, Parameters<typeof forge>[2]][] = [
    ['mallory', { to: 'victim', type: 'INFO', replyTo: question.id, data: 'an answer to what alice was asked' }],
    ['mallory', { to: 'victim', type: 'END', data: { incarnation: call.effectId, status: 'done', output: 1 } }],
    ['mallory', { to: 'victim', type: 'STOP', data: { incarnation } }],
    ['mallory', { to: 'victim', type: 'START', data: { incarnation: 'x', input: 1 } }],
    [
      'mallory',
      { to: 'victim', type: 'EVENT', data: { incarnation, event: { type: 'NOTE', data: { from: 'a', type: 'b' } } } },
    ],
    [address, { to: 'victim', type: 'END', data: { incarnation: 'another run', status: 'done', output: 1 } }],
    [
      address,
      {
        to: 'victim',
        type: 'EVENT',
        data: { incarnation: call.effectId, event: { type: 'xstate.done.actor.c', output: 1 } },
      },
    ],
    [
      address,
      {
        to: 'victim',
        type: 'EVENT',
        data: { incarnation: call.effectId, event: { type: 'mailroom.delivery-failed' } },
      },
    ],
    ['mallory', { to: address, type: 'STOP', data: { incarnation: call.effectId } }],
    ['mallory', { to: address, type: 'START', data: { incarnation: call.effectId, input: 2 } }],
    // Not even a valid envelope: no type starts like that, and no actor signs for another.
    ['mallory', { to: 'victim', type: 'xstate.done.actor.c', data: { output: 1 } }],
    ['mallory', { to: 'victim', type: 'NOTE', from: 'alice', data: { from: 'alice', type: 'NOTE' } }],
  ];
  for (const [signedAs, fields] of forgeries) forge(opened, signedAs, fields);
  const refused = (who: string): number =>
    room.story(who).filter(({ verdict }) => verdict === 'refused' || verdict === 'not believed').length;
  await eventually('all are judged', () => refused('victim') + refused(address) === forgeries.length);
  expect(JSON.stringify(room.state('victim')?.state?.snapshot)).toBe(before);
  expect(room.state(address)?.state?.status).toBe('active');

  // Fields of the data are data, whatever they are called.
  forge(opened, 'mallory', { to: 'victim', type: 'NOTE', data: { from: 'alice', type: 'STOP' } });
  await eventually('the note is taken', () =>
    room.story('victim').some(({ cause, verdict }) => cause === 'NOTE' && verdict === 'taken'),
  );
  await host.close();
  const { snapshot } = room.state('victim')?.state ?? {};
  expect((snapshot as { context: unknown }).context).toEqual({ notes: ['NOTE mallory'] });

  const story = room
    .story('victim')
    .map((line) => formatStory(line))
    .join('');
  console.log(`${forgeries.length} forgeries, none moved anything`);
  for (const told of [
    /INFO from mallory .*not-believed: it answers a question to alice, but is from mallory/,
    /END from mallory .*not-believed/,
    /STOP from mallory .*not-believed/,
    /START from mallory .*not-believed/,
    /EVENT from mallory .*not-believed/,
    /never verified, bad-envelope/,
    /never verified, bad-signature|never verified, unknown-key/,
  ]) {
    expect(story).toMatch(told);
  }
});
