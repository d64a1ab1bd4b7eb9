import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { logged } from '../hostile/zoo-room.ts';
import { startTmux } from '../nudge/tmux-server.ts';
import { PROGRAMS } from './programs.ts';
import type { RealProgram } from './programs/program.ts';
import { openRealRoom, type RealRoom } from './real-room.ts';
import { outcome } from './table.ts';

const PATIENCE_MS = 120_000;
const ENTER_AGAIN_MS = 3_000;
const LINE = 'a line that the person has half typed';

describe.each(PROGRAMS.map((program) => [program.preset, program] as const))('%s', (_, program) => {
  it('mail while it asks for a permission', async (context) => {
    await using real = await openRealRoom(program, context);
    real.model.answer(({ number }) => (number === 1 ? program.terminal.asks : { text: 'It was answered.' }));
    await using terminal = await openTerminal(program, real, 'please-make-the-file');
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
    await using terminal = await openTerminal(program, real);
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

/** A window of tmux in which bob, who has joined, runs the program. */
interface Terminal extends AsyncDisposable {
  screen(): string;
  see(what: string, text: RegExp): Promise<void>;
  /** Presses a key of a dialog as the person, and waits until the screen shows it. */
  select(answer: RealProgram['terminal']['select']): Promise<void>;
  /** Types as the person, and waits until the screen shows it. */
  type(text: string): Promise<void>;
  /** Presses Enter as the person; once more where the program took it for a part of a paste. */
  enterUntil(condition: () => boolean): Promise<void>;
  /** A format of tmux, of the pane. */
  shown(format: string): string;
  forgetBell(): void;
}

async function openTerminal(program: RealProgram, real: RealRoom, prompt?: string): Promise<Terminal> {
  const { room, place, env } = real;
  const { args, promptOption } = program.terminal;
  program.terminal.setUp(place);
  const script = path.join(place.home, 'start.sh');
  const words = [program.preset, ...args, ...(prompt === undefined ? [] : [promptOption ?? '', prompt])];
  fs.writeFileSync(script, startScript(words, { ...room.cli.env, ...env }));
  const tmux = await startTmux();
  const pane = tmux.run('new-window', '-d', '-P', '-F', '#{pane_id}', '-c', place.project, `exec sh ${script}`);
  const screen = (): string => tmux.run('capture-pane', '-p', '-J', '-t', pane);
  const see = (what: string, condition: () => boolean): Promise<void> =>
    until(() => `${what}; the screen:\n${tmux.run('capture-pane', '-p', '-e', '-t', pane)}`, condition, PATIENCE_MS);
  return {
    screen,
    see: (what, text) => see(what, () => text.test(screen())),
    select: ({ key, shown }) => {
      tmux.run('send-keys', '-t', pane, key);
      return see('the second answer is selected', () => shown.test(tmux.run('capture-pane', '-p', '-e', '-t', pane)));
    },
    type: async (text) => {
      tmux.run('send-keys', '-t', pane, '-l', text);
      await see('the typed line is shown', () => screen().includes(text));
    },
    enterUntil: async (condition) => {
      let pressedMs = 0;
      await see('the line is taken', () => {
        if (condition()) return true;
        if (Date.now() - pressedMs > ENTER_AGAIN_MS) {
          tmux.run('send-keys', '-t', pane, 'Enter');
          pressedMs = Date.now();
        }
        return false;
      });
    },
    shown: (format) => tmux.run('display-message', '-p', '-t', pane, format),
    forgetBell: () => {
      // Whoever looks at a window has heard its bell.
      tmux.run('select-window', '-t', pane);
      tmux.run('select-window', '-t', ':0');
    },
    [Symbol.asyncDispose]: () => tmux[Symbol.asyncDispose](),
  };
}

/** Joins as bob and becomes the program, with nothing in its environment but what is given here and where it is in tmux. */
function startScript(command: readonly string[], env: Readonly<Record<string, string>>): string {
  const set = Object.entries({ ...env, TERM: 'screen-256color' }).map(([name, value]) => `${name}='${value}'`);
  const inside = `eval "$(mailroom join bob --program ${command[0]})" && exec ${command.join(' ')}`;
  return `exec env -i TMUX="$TMUX" TMUX_PANE="$TMUX_PANE" ${set.join(' ')} sh -c '${inside}'\n`;
}

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
