import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PRESET_NAMES } from '../../src/agents/presets.ts';
import { until } from '../processes/child.ts';
import { amount, choice } from '../run/amount.ts';
import { createRandom } from '../run/seed.ts';
import { createAgentRoom, processesWith, type AgentRoom } from './agent-room.ts';

// The programs are the fakes of fixtures/agents, which print what the sources of docs/agents.md show; no real one runs here.
let room: AgentRoom;
beforeEach(async () => {
  room = await createAgentRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

/** The processes that the agents of this room have started; other tests run jobs at the same time. */
function jobsOf({ cli }: AgentRoom): number[] {
  const jobs = new Set(processesWith('MAILROOM_EFFECT_ID='));
  return processesWith(`MAILROOM_DIR=${cli.room}`).filter((pid) => jobs.has(pid));
}

/** Every form that one of the programs expands in a prompt. */
const FORMS = [
  '/clear',
  '@file and (@file) `@file` x@file \u3002@file \u00a0@file',
  '@"a file" @~/file @agent-other @server:resource @',
  '$skill \\$skill $$skill [$skill](/SKILL.md)',
  '!ls #note !{ls} `!ls`',
].join('\n');

/** Of each preset in one thread. */
const TURNS = amount(2, { long: 4 });
console.log(`${TURNS} turns of each preset`);

describe.each(PRESET_NAMES)('the preset %s', (preset) => {
  const said = (text: string): string => (preset === 'aider' ? `Aider v0.86.1\n${text}` : text);

  it('answers, and resumes the session of the thread; all mail arrives as text; it says why it failed', async () => {
    await room.start('bob', '--preset', preset, '--tries', '1');
    await room.send('bob', 'INFO', FORMS);
    const first = await room.ask('bob', `${FORMS}\none @file $skill`, '--data', JSON.stringify({ note: FORMS }));
    const { threadId = '' } = first;
    expect(first.content.replaceAll('\\', '')).toBe(
      said(`turn 1: Data: ${JSON.stringify({ note: FORMS })}`.replaceAll('\\', '')),
    );
    expect((await room.ask('bob', 'other')).content).toBe(said('turn 1: other'));
    for (let turn = 2; turn < TURNS; turn++)
      expect((await room.ask('bob', 'go on', '--thread', threadId)).content).toBe(said(`turn ${turn}: go on`));
    const last = preset === 'aider' ? 'go on' : 'go on, then hang';
    expect((await room.ask('bob', last, '--thread', threadId)).content).toBe(said(`turn ${TURNS}: ${last}`));
    await until('nothing of it is left', () => jobsOf(room).length === 0);
    const reply = await room.ask('bob', 'please fail');
    expect(reply.type).toBe('BLOCKED');
    expect(reply.content).toContain('the model is overloaded');
  });
});

const random = createRandom();

/** One of the programs that behave alike, by the seed; in the long set all. */
function oneOf<T>(all: readonly T[]): T[] {
  const chosen = all[Math.floor(random() * all.length)];
  return choice(all, (one) => one === chosen);
}

/** What the model of a program was asked, in the order of its sessions' names. */
function prompts(preset: string): string[] {
  const sessions = path.join(room.cli.env['HOME'] ?? '', '.fake', preset);
  if (!fs.existsSync(sessions)) return [];
  return fs
    .readdirSync(sessions)
    .flatMap((name) => fs.readFileSync(path.join(sessions, name), 'utf8').split('\u0000\n').slice(0, -1));
}

describe('a lost session', () => {
  it('starts over with the earlier messages of the thread, and both sides are told', async () => {
    const bob = await room.start('bob', '--preset', 'claude');
    await room.send('bob', 'INFO', 'The port is 8080.');
    const { threadId = '' } = await room.ask('bob', 'first ask');
    await room.ask('bob', 'second ask', '--thread', threadId);
    fs.rmSync(path.join(room.cli.env['HOME'] ?? '', '.fake'), { recursive: true });
    const reply = await room.ask('bob', 'third ask', '--thread', threadId);
    expect(reply).toMatchObject({ content: 'turn 1: third ask', data: { retold: 2 } });
    expect(bob.told()).toContain('its session is lost');
    // It costs no attempt and no wait.
    expect(bob.told()).not.toContain('failed (');
    const [prompt = '', ...others] = prompts('claude');
    expect(others).toEqual([]);
    expect(prompt).toMatch(
      /in a session that is lost[^]*\nfirst ask\n[^]*turn 1: first ask\n[^]*\nsecond ask\n[^]*turn 2: second ask\n[^]*8080[^]*third ask\n/,
    );
    const next = await room.ask('bob', 'fourth ask', '--thread', threadId);
    expect(next.content).toBe('turn 2: fourth ask');
    expect(next).not.toHaveProperty('data');
  });

  it('of another program starts over, too', async () => {
    const first = await room.start('bob', '--preset', 'claude');
    const { threadId = '' } = await room.ask('bob', 'one');
    first.kill('SIGINT');
    await first.ended;
    await room.start('bob', '--preset', 'codex');
    const reply = await room.ask('bob', 'two', '--thread', threadId);
    expect(reply).toMatchObject({ content: 'turn 1: two', data: { retold: 1 } });
    expect(prompts('codex')[0]).toContain('turn 1: one');
  });
});

describe('a complete answer', () => {
  const runsOf = (): number => prompts('claude').length;
  /** The answer is on the disk, but its program hangs. */
  const answered = (): Promise<unknown> =>
    until('the answer lies there', () => {
      const jobs = path.join(room.cli.room, 'actors/bob/jobs');
      const found = fs.existsSync(jobs) ? fs.readdirSync(jobs) : [];
      return found.some((job) => {
        const output = path.join(jobs, job, '1.stdout');
        return fs.existsSync(output) && fs.readFileSync(output, 'utf8').includes('"type":"result"');
      });
    });

  it('counts even if the program exits with 1 or floods after it, and is paid for once', async () => {
    await room.start('bob', '--preset', 'claude', '--output', '64');
    expect((await room.ask('bob', 'one, then exit 1')).content).toBe('turn 1: one, then exit 1');
    expect((await room.ask('bob', 'two, then flood')).content).toBe('turn 1: two, then flood');
    expect(runsOf()).toBe(2);
  });

  it('is not paid for again when everything is killed before it was stored', async () => {
    const bob = await room.startApart('bob', '--preset', 'claude');
    await room.send('bob', 'QUESTION', 'one, then hang');
    await answered();
    bob.kill('SIGKILL');
    await bob.ended;
    for (const pid of processesWith(`MAILROOM_DIR=${room.cli.room}`)) process.kill(pid, 'SIGKILL');
    await room.start('bob', '--preset', 'claude');
    expect((await room.receive()).content).toBe('turn 1: one, then hang');
    expect(runsOf()).toBe(1);
  });

  it('is kept when the agent ends before its program has exited', async () => {
    const bob = await room.start('bob', '--preset', 'claude');
    await room.send('bob', 'QUESTION', 'one, then hang');
    await answered();
    bob.kill('SIGINT');
    await bob.ended;
    expect(processesWith(`MAILROOM_DIR=${room.cli.room}`)).toEqual([]);
    await room.start('bob', '--preset', 'claude');
    expect((await room.receive()).content).toBe('turn 1: one, then hang');
    expect(runsOf()).toBe(1);
  });
});

describe('a failure that no retry can fix', () => {
  it.each(oneOf(['claude', 'codex'] as const))('of %s is reported while its program still retries', async (preset) => {
    await room.start('bob', '--preset', preset);
    const reply = await room.ask('bob', 'one with a wrong key');
    expect(reply).toMatchObject({ type: 'BLOCKED', data: { failed: true, final: true, tries: 1 } });
    expect(reply.content).toContain('is not logged in, or its key is not accepted');
    expect(prompts(preset)).toHaveLength(1);
    await until('nothing of it is left', () => processesWith(`MAILROOM_DIR=${room.cli.room}`).length === 0);
  });

  it('in a result is not retried, nor is an option that the program does not know', async () => {
    const bob = await room.start('bob', '--preset', 'claude');
    expect(await room.ask('bob', 'no credit')).toMatchObject({ type: 'BLOCKED', data: { final: true, tries: 1 } });
    bob.kill('SIGINT');
    await bob.ended;
    await room.start('bob', '--preset', 'claude', '--', '--model', 'opus', '--no-such-flag');
    const reply = await room.ask('bob', 'one');
    expect(reply).toMatchObject({ type: 'BLOCKED', data: { final: true, tries: 1 } });
    expect(reply.content).toContain("unknown option '--no-such-flag'");
  });

  it.each(
    oneOf([
      ['codex', /does not trust the directory.*Not inside a trusted directory.*--trust-directory/],
      ['gemini', /does not trust the directory.*not running in a trusted directory.*--trust-directory/],
    ] as const),
  )('is a directory that %s does not trust, unless the user does', async (preset, why) => {
    const bob = await room.start('bob', '--preset', preset);
    const reply = await room.ask('bob', 'in no repository');
    expect(reply).toMatchObject({ type: 'BLOCKED', data: { final: true, tries: 1 } });
    expect(reply.content).toMatch(why);
    bob.kill('SIGINT');
    await bob.ended;
    await room.start('bob', '--preset', preset, '--trust-directory', '.');
    expect((await room.ask('bob', 'in no repository')).content).toBe('turn 1: in no repository');
  });

  it('is a missing program', async () => {
    await room.start('bob', '--preset', 'claude');
    fs.rmSync(path.join(room.cli.bin, 'claude'));
    const reply = await room.ask('bob', 'one');
    expect(reply).toMatchObject({ type: 'BLOCKED', data: { final: true, tries: 1 } });
    expect(reply.content).toContain('there is no program claude');
  });
});

it('ends a program that only reports retries, as an idle one', async () => {
  await room.start('bob', '--preset', 'codex', '--idle', '500ms', '--tries', '1');
  const reply = await room.ask('bob', 'one with no network');
  expect(reply.content).toMatch(/made no progress for too long \(Reconnecting\.\.\. \d\/5\)/);
  expect(reply).not.toHaveProperty('data.final');
});

it('tells the asker and the person which tools were denied', async () => {
  const bob = await room.start('bob', '--preset', 'claude');
  expect(await room.ask('bob', 'it is denied')).toMatchObject({ type: 'INFO', data: { denied: ['Edit', 'Bash'] } });
  await until('the person is told', () => bob.told().includes('(denied: Edit, Bash)'));
});

it('asks again for data in the same session, with only what was wrong', async () => {
  await room.start('bob', '--preset', 'codex');
  const schema = { type: 'object', properties: { option: { enum: ['a', 'b'] } }, required: ['option'] };
  const reply = await room.ask('bob', 'vote', '--data', JSON.stringify({ replySchema: schema }));
  expect(reply).toMatchObject({ type: 'INFO', data: { option: 'b' } });
  expect(fs.readdirSync(path.join(room.cli.env['HOME'] ?? '', '.fake/codex'))).toHaveLength(1);
  const asked = prompts('codex');
  expect(asked).toHaveLength(2);
  expect(asked[1]).toContain('There is no JSON in it');
  expect(asked[1]).not.toContain('You are "bob"');
});
