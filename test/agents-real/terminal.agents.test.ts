import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { logged } from '../hostile/zoo-room.ts';
import { PROGRAMS } from './programs.ts';
import { openRealRoom, type RealRoom } from './real-room.ts';
import { outcome } from './table.ts';
import { openTerminal, PATIENCE_MS, type Terminal } from './terminal.ts';

const LINE = 'a line that the person has half typed';

describe.each(PROGRAMS.map((program) => [program.preset, program] as const))('%s', (_, program) => {
  it('mail while it asks for a permission', async (context) => {
    await using real = await openRealRoom(program, context);
    real.model.answer(({ number }) => (number === 1 ? program.terminal.asks : { text: 'It was answered.' }));
    program.terminal.setUp(real.place);
    await using terminal = await openTerminal(program, real, { prompt: 'please-make-the-file', join: 'bob' });
    await terminal.see('it asks', program.terminal.dialog);
    await receiveMail(terminal, real);
    // Keys arrive in their order: when this one has done something in the dialog, none before it has answered it.
    await terminal.select(program.terminal.select);
    expect(terminal.screen()).toMatch(program.terminal.dialog);
    expect(fs.existsSync(path.join(real.place.project, 'made.txt'))).toBe(false);
    expect(real.model.requests).toHaveLength(1);
    outcome(context, 'still asks; bell, 1 unread');
  });

  it('mail while a line is half typed', async (context) => {
    await using real = await openRealRoom(program, context);
    program.terminal.setUp(real.place);
    await using terminal = await openTerminal(program, real, { join: 'bob' });
    await terminal.see('it takes a line', program.terminal.ready);
    await terminal.type(LINE);
    await receiveMail(terminal, real);
    expect(terminal.screen()).toContain(LINE);
    expect(real.model.requests).toHaveLength(0);
    await terminal.enterUntil(() => real.model.requests.length > 0);
    const texts = real.model.requests[0]?.texts.map((text) => text.trim()) ?? [];
    expect(texts).toContain(LINE);
    outcome(context, 'line untouched; bell, 1 unread');
  });
});

/** Alice writes to bob; resolves when the nudge is over. */
async function receiveMail(terminal: Terminal, { room }: RealRoom): Promise<void> {
  terminal.forgetBell();
  expect(terminal.shown('#{window_bell_flag}')).toBe('0');
  await room.send('bob', 'INFO', 'some mail');
  await until('the nudge is over', () => logged(room.cli.room, 'nudged').length > 0, PATIENCE_MS);
  expect(logged(room.cli.room, 'nudged')).toMatchObject([{ outcome: 'nudged' }]);
  await until('the window has the bell flag', () => terminal.shown('#{window_bell_flag}') === '1');
  expect(terminal.shown('#{@mailroom_unread}')).toBe('1');
}
