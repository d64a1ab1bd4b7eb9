// A pid means nothing in another PID namespace: a live agent of a container counted as gone, and a second one joined under its
// address; a workflow that a host there ran was taken over at once.
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { createCliRoom, type CliRoom } from '../cli/cli-room.ts';
import { until } from '../hostile/until.ts';
import { createProject, GREETER } from '../runtime/cli-machines.ts';
import { NAMESPACES, runIn, skipWithout, startIn } from './namespaces.ts';

const HOUR_S = 3_600;
const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

/** As if the last sign of life had been so long ago. */
function seenAgo(room: CliRoom, address: string, seconds: number): void {
  const { seen, card } = actorLayout(roomLayout(room.room), address);
  const then = Date.now() / 1_000 - seconds;
  for (const file of [seen, card]) fs.utimesSync(file, then, then);
}

describe.each(NAMESPACES)('two $title that share a room', (namespace) => {
  const skip = skipWithout(namespace);

  test.skipIf(skip)('keep an address to the agent that has it, and carry mail', async () => {
    using room = await createCliRoom({ agents: ['bob'] });
    const first = startIn(room, namespace, 'mailroom join alice && sleep 1000');
    started.add(first.child);
    await until('alice has joined', () => first.told().includes('MAILROOM_AS=alice'));
    // Long silent: it works on something.
    seenAgo(room, 'alice', HOUR_S - 60);
    const second = await runIn(room, namespace, 'mailroom join alice');
    expect([second.code, second.stdout]).toEqual([6, '']);
    expect(second.stderr).toMatch(
      /in use by a live agent \(process \d+ of another container or sandbox \(PID namespace \d+\)/,
    );
    expect(second.stderr).toContain('--take-over');
    expect(await room.run(['join', 'alice'])).toMatchObject({ code: 6 });
    const agents = await runIn(room, namespace, 'mailroom agents --json');
    expect(JSON.parse(agents.stdout)).toContainEqual(expect.objectContaining({ address: 'alice', live: true }));
    await runIn(room, namespace, 'mailroom --as bob send alice QUESTION "do you hear me"');
    const read = await runIn(room, namespace, 'mailroom --as alice read --json');
    expect(JSON.parse(read.stdout)).toMatchObject([{ from: 'bob', content: 'do you hear me' }]);
    expect(await runIn(room, namespace, 'mailroom join alice --take-over')).toMatchObject({ code: 0 });
    seenAgo(room, 'alice', HOUR_S + 60);
    expect(await runIn(room, namespace, 'mailroom join alice')).toMatchObject({ code: 0 });
    expect(first.child.exitCode).toBeNull();
  });

  test.skipIf(skip)('run a workflow in one of them, until its host has shown no life for 10 s', async () => {
    using room = await createProject({ 'greeter.mjs': GREETER });
    const first = startIn(room, namespace, 'mailroom run greeter.mjs');
    started.add(first.child);
    await until('it runs', () => first.told().includes('→ waiting'));
    // Its host shows life again and again, by itself.
    seenAgo(room, 'greeter', 60);
    const { seen } = actorLayout(roomLayout(room.room), 'greeter');
    await until('its host shows life', () => Date.now() - fs.statSync(seen).mtimeMs < 5_000);
    const second = await runIn(room, namespace, 'mailroom run greeter.mjs');
    expect([second.code, second.stdout]).toEqual([6, '']);
    expect(second.stderr).toMatch(/is run by another host \(process \d+ of another container or sandbox/);
    const ended = new Promise((resolve) => first.child.once('close', resolve));
    first.child.kill('SIGKILL');
    await ended;
    seenAgo(room, 'greeter', 11);
    const third = startIn(room, namespace, 'mailroom run greeter.mjs');
    started.add(third.child);
    const journal = `${actorLayout(roomLayout(room.room), 'greeter').journal}/1.jsonl`;
    await until('it is taken over', () => fs.readFileSync(journal, 'utf8').split('"open"').length === 3);
    await room.run(['send', 'greeter', 'GO', 'now'], { as: 'alice' });
    await until('it has ended', () => third.told().includes('hello nobody'));
  });
});
