import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createProject } from './cli-machines.ts';

/** Throws at its timer until it is fixed. In TypeScript, so that the place is one in the source. */
const machineText = (name: string): string => `
import { assign, setup } from 'xstate';

interface Context { readonly at: string }

export const machine = setup({ types: { context: {} as Context } }).createMachine({
  id: 'ship',
  context: ({ input }) => ({ at: (input as { at: string }).at }),
  initial: '${name}',
  states: {
    ${name}: { after: { 5: { target: 'over', actions: assign({ at: ({ context }) => land(context) }) } } },
    over: { type: 'final' },
  },
  output: ({ context }) => context.at,
});

function land({ at }: Context): string {
  BODY
}
`;

const BROKEN = machineText('sailing').replace('BODY', "throw new RangeError('no berth at ' + at);");
const MENDED = machineText('sailing').replace('BODY', "return 'berth 1 at ' + at;");
const RENAMED = machineText('floating').replace('BODY', "return 'berth 1 at ' + at;");

test('a step that throws at a timer: run, workflows and why report it, and the fixed code resumes', async () => {
  using room = await createProject({ 'ship.ts': BROKEN });
  const file = path.join(fs.realpathSync(room.directory), 'ship.ts');
  const why = /ship is FAILED at timer after 5 ms: RangeError: no berth at Rotterdam \(at (.*):(\d+):\d+\)\./;
  const first = await room.run(['run', 'ship.ts', '--input', '{"at":"Rotterdam"}']);
  expect([first.code, first.stdout]).toEqual([1, '']);
  const [, where, line] = why.exec(first.stderr) ?? [];
  expect([where, line]).toEqual([file, `${BROKEN.split('\n').findIndex((one) => one.includes('throw new')) + 1}`]);
  expect(first.stderr).toContain(
    `Once the code is fixed: mailroom run --retry-failed ship.ts --input '{"at":"Rotterdam"}'`,
  );
  // Another run reports the same, and changes nothing.
  const again = await room.run(['run', 'ship.ts']);
  expect([again.code, again.stderr.match(why)?.[0]]).toEqual([1, first.stderr.match(why)?.[0]]);
  expect(again.stderr).toContain(`mailroom run --again --input '{"at":"Rotterdam"}' ship.ts`);
  const [listed] = (await room.json(['workflows'])) as { status: string; error: object; value: string }[];
  expect(listed).toMatchObject({
    status: 'failed',
    value: 'sailing',
    error: { name: 'RangeError', place: `${where}:${line}:9` },
  });
  expect((await room.run(['workflows'])).stdout).toMatch(
    /ship +sailing \(FAILED\) .* --retry-failed, --again or stop, because of RangeError: no berth/,
  );
  expect((await room.run(['why', 'ship'])).stdout).toMatch(
    /timer after 5 ms +sailing \(FAILED\): RangeError: no berth at Rotterdam \(at .*ship\.ts:\d+:\d+\)/,
  );
  // Code without the state cannot resume.
  fs.writeFileSync(file, RENAMED);
  const refused = await room.run(['run', 'ship.ts', '--retry-failed']);
  expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining('ship needs the state "sailing"')]);
  fs.writeFileSync(file, MENDED);
  // Without --retry-failed it retries nothing.
  expect((await room.run(['run', 'ship.ts'])).code).toBe(1);
  const last = await room.run(['run', '--retry-failed', 'ship.ts', '--input', '{"at":"Rotterdam"}']);
  expect([last.code, last.stdout]).toEqual([0, '"berth 1 at Rotterdam"\n']);
  expect((await room.run(['why', 'ship'])).stdout).toMatch(/timer after 5 ms +sailing \(FAILED\) → over \(done\)/);
  // The printed command can be repeated.
  const repeated = await room.run(['run', '--retry-failed', 'ship.ts']);
  expect([repeated.code, repeated.stdout]).toEqual([0, '"berth 1 at Rotterdam"\n']);
});

test('no place is shown for a guard that throws, because XState replaces its error', async () => {
  const text = `
import { setup } from 'xstate';
export const machine = setup({ guards: { dry: () => { throw new Error('no tide table'); } } }).createMachine({
  id: 'ship', initial: 'a', states: { a: { after: { 5: { guard: 'dry', target: 'b' } } }, b: { type: 'final' } },
});
`;
  using room = await createProject({ 'ship.mjs': text });
  const { code, stderr } = await room.run(['run', 'ship.mjs']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('no tide table')]);
  const [listed] = (await room.json(['workflows'])) as { error: { place?: string } }[];
  expect(listed?.error.place).toBeUndefined();
});

test('a FAILED workflow is given up by stop and another run, with any code, or by --again', async () => {
  using room = await createProject({ 'ship.ts': BROKEN });
  const words = ['run', 'ship.ts', '--input', '{"at":"Rotterdam"}'];
  expect((await room.run(words)).code).toBe(1);
  fs.writeFileSync(path.join(room.directory, 'ship.ts'), RENAMED);
  expect((await room.run(['stop', 'ship'])).stderr).toContain('It ends as soon as it is run.');
  const stopped = await room.run(words);
  expect([stopped.code, stopped.stderr]).toEqual([1, expect.stringContaining('it was stopped')]);
  fs.writeFileSync(path.join(room.directory, 'ship.ts'), BROKEN);
  expect((await room.run([...words, '--again'])).code).toBe(1);
  fs.writeFileSync(path.join(room.directory, 'ship.ts'), RENAMED);
  const anew = await room.run([...words, '--again']);
  expect([anew.code, anew.stdout]).toEqual([0, '"berth 1 at Rotterdam"\n']);
});
