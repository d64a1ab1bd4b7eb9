import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/message/message.ts';
import { processesWith } from '../agents/agent-room.ts';
import { until } from '../hostile/until.ts';
import { PROGRAMS } from './programs.ts';
import { claude } from './programs/claude.ts';
import { openRealRoom, type RealRoom } from './real-room.ts';
import { outcome } from './table.ts';

const PATIENCE_MS = 120_000;

const DENIALS = {
  named: 'not run, named in the reply',
  unnamed: 'not run',
  none: '**run**: it asks nobody',
};

describe.each(PROGRAMS.map((program) => [program.preset, program] as const))('%s', (_, program) => {
  it('a question', async (context) => {
    await using real = await openRealRoom(program, context);
    await real.startTrusted();
    const reply = await real.room.ask('bob', 'What is in note.txt?');
    expect(reply).toMatchObject({ type: 'INFO', content: 'reply 1' });
    expect(real.model.requests).toHaveLength(1);
    expect(textsOf(real)).toContain('What is in note.txt?');
    outcome(context, 'answered');
  });

  it('a second question in the thread', async (context) => {
    await using real = await openRealRoom(program, context);
    await real.startTrusted();
    const { threadId = '' } = await real.room.ask('bob', 'the first question');
    const second = await real.room.ask('bob', 'the second question', '--thread', threadId);
    expect(second.content).toBe('reply 2');
    expect(textsOf(real)).toMatch(/the first question[^]*reply 1[^]*the second question/);
    await real.room.ask('bob', 'a question of another thread');
    expect(textsOf(real)).not.toContain('the first question');
    outcome(context, 'answered in the same session');
  });

  it('a second question, after the session was deleted', async (context) => {
    await using real = await openRealRoom(program, context);
    const bob = await real.startTrusted();
    const { threadId = '' } = await real.room.ask('bob', 'the first question');
    fs.rmSync(path.join(real.place.home, program.sessions), { recursive: true });
    const second = await real.room.ask('bob', 'the second question', '--thread', threadId);
    expect(second.content).toBe('reply 2');
    expect(textsOf(real)).toMatch(/the first question[^]*reply 1[^]*the second question/);
    expect(second.data).toEqual({ retold: 1 });
    expect(bob.told()).toContain('session is lost');
    outcome(context, 'answered in a new one');
  });

  it('an error of the server that passes', async (context) => {
    await using real = await openRealRoom(program, context);
    real.model.answer(({ number }) => (number === 1 ? program.passing : { text: 'at the second attempt' }));
    await real.startTrusted('--tries', '1');
    const reply = await real.room.ask('bob', 'a question');
    expect(reply.content).toBe('at the second attempt');
    outcome(context, 'answered at the second attempt');
  });

  it('an answer after which the program does not end', async (context) => {
    if (!program.hang) context.skip('nothing is known that keeps it');
    await using real = await openRealRoom(program, context);
    const marker = path.join(real.place.home, 'hook-has-ended');
    program.hang?.(real.place, marker);
    await real.startTrusted();
    const reply = await real.room.ask('bob', 'a question');
    expect(reply.content).toBe('reply 1');
    expect(real.model.requests).toHaveLength(1);
    await until('the program was ended', () => processesOf(reply).length === 0, PATIENCE_MS);
    expect(fs.existsSync(marker)).toBe(false);
    outcome(context, 'answered, and the program ended');
  });

  it('a command that it may not run', async (context) => {
    await using real = await openRealRoom(program, context);
    real.model.answer(({ number }) => (number === 1 ? program.terminal.asks : { text: 'I was not allowed to.' }));
    await real.startTrusted();
    const reply = await real.room.ask('bob', 'a question');
    expect(reply.content).toBe('I was not allowed to.');
    const ran = fs.existsSync(path.join(real.place.project, 'made.txt'));
    expect(ran).toBe(program.denial === 'none');
    expect(reply.data).toEqual(program.denial === 'named' ? { denied: ['Bash'] } : undefined);
    outcome(context, DENIALS[program.denial]);
  });
});

describe('claude', () => {
  it('an answer while a background command still runs', async (context) => {
    await using real = await openRealRoom(claude, context);
    real.model.answer(({ number }) =>
      number === 1
        ? { tool: 'Bash', input: { command: 'sleep 5', description: 'Wait', run_in_background: true } }
        : { text: `answer ${number}` },
    );
    await real.startTrusted('--', '--allowedTools', 'Bash(sleep:*)');
    const reply = await real.room.ask('bob', 'a question');
    expect(reply.content).toBe('answer 3');
    outcome(context, 'the answer after its end');
  });
});

function textsOf({ model }: RealRoom): string {
  return model.requests.at(-1)?.texts.join('\n') ?? '';
}

function processesOf({ replyTo = '' }: Message): number[] {
  return processesWith(`MAILROOM_MESSAGE_ID=${replyTo}`);
}
