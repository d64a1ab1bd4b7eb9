import { expect, test } from 'vitest';
import { createProject } from '../runtime/cli-machines.ts';

/** A time with its date and zone. */
const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`;

/** Logs something, has an action that fails, and takes a while. */
const TALKATIVE = `
import { log, setup } from 'xstate';
import { action } from 'agent-mailroom/workflow';

export const machine = setup({
  actions: { failing: action(() => { throw new Error('no luck'); }) },
}).createMachine({
  id: 'talkative',
  initial: 'a',
  states: { a: { entry: [log('so far so good'), 'failing'], after: { 300: 'b' } }, b: { type: 'final' } },
});
`;

test('why, log and run print times with date and zone, and why names the command for what is only in the log', async () => {
  using room = await createProject({ 'talkative.mjs': TALKATIVE });
  const ran = await room.run(['run', 'talkative.mjs']);
  expect(ran.stderr).toMatch(new RegExp(`^${TIME}  started +→ a\n${TIME}  timer after 300 ms +a → b \\(done\\)\n$`));
  await room.run(['send', 'bob', 'INFO', 'noise'], { as: 'alice' });
  const why = await room.run(['why', 'talkative']);
  expect(why.stdout).toMatch(new RegExp(`^(?:#\\d  ${TIME}  .*\n){3}$`));
  const command = /To see what it logged and which actions failed: mailroom (.*)\n/.exec(why.stderr)?.[1];
  const log = await room.run(command?.split(' ') ?? []);
  expect(log.stdout).toMatch(
    new RegExp(
      `^${TIME}  logged         talkative  "so far so good"\n` +
        `${TIME}  action-failed  talkative  failing \\(\\w+\\.1\\.1\\): no luck\n$`,
    ),
  );
  const times = ((await room.run(['why', 'talkative', '--json'])).stdout.match(/"at":\d{13},/g) ?? []).length;
  expect(times).toBe(3);
});

test('replay numbers a difference like the step in why', async () => {
  using room = await createProject({
    'talkative.mjs': TALKATIVE,
    'other.mjs': TALKATIVE.replace(
      "a: { entry: [log('so far so good'), 'failing'], after: { 300: 'b' } }, b:",
      'b: {}, a:',
    ),
  });
  await room.run(['run', 'talkative.mjs']);
  const replay = await room.run(['replay', 'talkative', '--machine', 'other.mjs']);
  const numbers = replay.stdout.match(/^#\d+/gm) ?? [];
  const why = await room.run(['why', 'talkative']);
  expect(new Set(numbers)).toEqual(new Set((why.stdout.match(/^#\d+/gm) ?? []).slice(1)));
});
