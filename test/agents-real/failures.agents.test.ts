import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/message/message.ts';
import { FAILURES } from './programs/program.ts';
import { PROGRAMS } from './programs.ts';
import { openRealRoom } from './real-room.ts';
import { outcome } from './table.ts';

/** Of 6 and 11 requests that Codex and Claude Code would make before they give up on a refused key. */
const REQUESTS_MAX = 5;

const FINAL = { failed: true, tries: 1, final: true };

describe.each(PROGRAMS.map((program) => [program.preset, program] as const))('%s', (_, program) => {
  it.for(FAILURES)('%s', async (name, context) => {
    await using real = await openRealRoom(program, context);
    const failure = program.failures[name];
    const { answer } = failure;
    if (answer) real.model.answer(() => answer);
    failure.change?.(real.place, real.env);
    await real.startTrusted();
    const reply = await real.room.ask('bob', 'a question');
    expectFinal(reply, failure.told);
    const { length } = real.model.requests;
    expect(length).toBeLessThanOrEqual(REQUESTS_MAX);
    outcome(context, `BLOCKED after ${length} request${length === 1 ? '' : 's'}`);
  });

  it('a directory that nobody trusted', async (context) => {
    await using real = await openRealRoom(program, context);
    await real.start();
    const reply = await real.room.ask('bob', 'a question');
    const blocked = { type: 'BLOCKED', content: expect.stringContaining('--trust-directory'), data: FINAL };
    expect(reply).toMatchObject(program.trustsAll ? { type: 'INFO', content: 'reply 1' } : blocked);
    outcome(context, program.trustsAll ? 'answered: it trusts all' : 'BLOCKED');
  });

  it('an option that the program does not know', async (context) => {
    await using real = await openRealRoom(program, context);
    await real.startTrusted('--', '--no-such-option');
    const reply = await real.room.ask('bob', 'a question');
    expectFinal(reply, /does not know one of its options/);
    outcome(context, 'BLOCKED');
  });

  it('a server that stays broken, with --idle 8s', async (context) => {
    await using real = await openRealRoom(program, context);
    real.model.answer(() => program.passing);
    await real.startTrusted('--idle', '8s', '--tries', '1');
    const reply = await real.room.ask('bob', 'a question');
    expect(reply).toMatchObject({ type: 'BLOCKED', data: { failed: true, tries: 1 } });
    // The messages of its own retries are no progress.
    expect(reply.content).toMatch(/ended after \d+ s/);
    outcome(context, 'BLOCKED');
  });
});

/** Without a second try, and in words for the asker. */
function expectFinal(reply: Message, told: RegExp): void {
  expect(reply).toMatchObject({ type: 'BLOCKED', data: FINAL });
  expect(reply.content).toMatch(told);
  expect(reply.content).not.toContain('\u001B');
}
