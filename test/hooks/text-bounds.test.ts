import { expect, test } from 'vitest';
import { HOOK_CHARS_MAX } from '../../src/hooks/mail-text.ts';
import { openHookRoom } from './hook-room.ts';

const MINUTE_MS = 60_000;

test('Codex counts bytes: text of any script fits, whole messages and the beginning of a long one', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one', { program: 'codex' });
  await fire('SessionStart');
  for (let number = 0; number < 5; number++) await room.send(`${number} ${'漢'.repeat(1_000)}`, 'codex-1');
  const text = await fire('UserPromptSubmit');
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(HOOK_CHARS_MAX);
  expect([text.split('From alice').length - 1, text.includes('2 more for codex-1')]).toEqual([3, true]);
  await fire('Stop');
  await fire('UserPromptSubmit');
  await room.send('é😀'.repeat(5_000), 'codex-1');
  const begun = await fire('PostToolUse');
  expect(Buffer.byteLength(begun)).toBeLessThanOrEqual(HOOK_CHARS_MAX);
  expect(begun).toContain('é😀é😀');
  expect(begun).toContain('--all prints the whole message.');
});

test.each(['codex', 'gemini'])('commands with long paths do not exceed the bound: %s', async (program) => {
  await using room = await openHookRoom();
  const ownCommand = `node '/home/ann/${'very long/'.repeat(60)}mailroom.cjs'`;
  const { fire } = room.session('one', { program, ownCommand });
  await fire('SessionStart', { source: 'startup' });
  for (let number = 0; number < 200; number++) await room.send(`${number} ${'x'.repeat(30)}`, `${program}-1`);
  const prompt = program === 'codex' ? 'UserPromptSubmit' : 'BeforeAgent';
  const text = await fire(prompt);
  expect(text.length).toBeGreaterThan(HOOK_CHARS_MAX - 500);
  expect(text.length).toBeLessThanOrEqual(HOOK_CHARS_MAX);
});

test('a cut message is shown once, is left to the agent, and is released with its session', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.send(`begin ${'x'.repeat(50_000)} end`);
  expect(await fire('UserPromptSubmit')).toContain('begin');
  room.clock.advance(5 * MINUTE_MS);
  await room.send('the port?');
  const text = await fire('PostToolBatch');
  expect([text.includes('the port?'), text.includes('begin')]).toEqual([true, false]);
  room.clock.advance(40 * MINUTE_MS);
  expect(await fire('Stop')).toBe('');
  expect(await fire('UserPromptSubmit')).toBe('');
  expect(room.names('claude-1', 'done')).toHaveLength(1);
  expect(await fire('SessionStart', { source: 'compact' })).toContain('begin');
  await fire('SessionEnd');
  expect(await room.session('two').fire('SessionStart')).toContain('begin');
});

test('a start without room for all shown mail leaves the rest to the next hook', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  for (const word of ['one', 'two', 'three', 'four']) await room.send(`${word}: ${'x'.repeat(2_180)}`);
  const all = await fire('UserPromptSubmit');
  expect(all).toContain('four: ');
  const text = await fire('SessionStart', { source: 'compact' });
  expect([text.includes('three: '), text.includes('four: ')]).toEqual([true, false]);
  expect(text).toContain('1 more for claude-1');
  expect(await fire('PostToolBatch')).toContain('four: ');
  await fire('Stop');
  expect(room.names('claude-1', 'done')).toHaveLength(4);
});
