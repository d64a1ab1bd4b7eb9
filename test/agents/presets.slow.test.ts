import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PRESET_NAMES } from '../../src/agents/presets.ts';
import { createAgentRoom, type AgentRoom } from './agent-room.ts';

// The programs are the fakes of fixtures/agents, which print what the sources of docs/agents.md show; no real one is here.
let room: AgentRoom;
beforeEach(async () => {
  room = await createAgentRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

describe.each(PRESET_NAMES)('the preset %s', (preset) => {
  const said = (text: string): string => (preset === 'aider' ? `Aider v0.86.1\n${text}` : text);

  it('answers, and goes on in the session of the thread', async () => {
    await room.start('bob', '--preset', preset);
    const first = await room.ask('bob', 'one @file');
    const { threadId = '' } = first;
    expect(first.content.replaceAll('\\', '')).toBe(said('turn 1: one @file'));
    expect((await room.ask('bob', 'two', '--thread', threadId)).content).toBe(said('turn 2: two'));
    expect((await room.ask('bob', 'other')).content).toBe(said('turn 1: other'));
    expect((await room.ask('bob', 'three', '--thread', threadId)).content).toBe(said('turn 3: three'));
  });

  it('says why it failed', async () => {
    await room.start('bob', '--preset', preset, '--tries', '1');
    const reply = await room.ask('bob', 'please fail');
    expect(reply.type).toBe('BLOCKED');
    expect(reply.content).toContain('the model is overloaded');
  });
});

it('begins a new session when the old one is gone', async () => {
  const bob = await room.start('bob', '--preset', 'claude', '--backoff', '50ms');
  const { threadId = '' } = await room.ask('bob', 'one');
  fs.rmSync(path.join(room.cli.env['HOME'] ?? '', '.fake'), { recursive: true });
  expect((await room.ask('bob', 'two', '--thread', threadId)).content).toBe('turn 1: two');
  expect(bob.told()).toContain('failed (1)');
});

it('asks again for data in the same session, by what was wrong alone', async () => {
  await room.start('bob', '--preset', 'codex');
  const schema = { type: 'object', properties: { option: { enum: ['a', 'b'] } }, required: ['option'] };
  const reply = await room.ask('bob', 'vote', '--data', JSON.stringify({ replySchema: schema }));
  expect(reply).toMatchObject({ type: 'INFO', data: { option: 'b' } });
  const sessions = path.join(room.cli.env['HOME'] ?? '', '.fake/codex');
  const [only, another] = fs.readdirSync(sessions);
  expect(another).toBeUndefined();
  const prompts = fs
    .readFileSync(path.join(sessions, only ?? ''), 'utf8')
    .split('\u0000\n')
    .slice(0, -1);
  expect(prompts).toHaveLength(2);
  expect(prompts[1]).toContain('There is no JSON in it');
  expect(prompts[1]).not.toContain('You are "bob"');
});

it('adds the words behind -- to the command line', async () => {
  await room.start('bob', '--preset', 'claude', '--tries', '1', '--', '--model', 'opus', '--no-such-flag');
  expect((await room.ask('bob', 'one')).content).toContain('--no-such-flag');
});
