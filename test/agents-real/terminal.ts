import fs from 'node:fs';
import path from 'node:path';
import { until } from '../hostile/until.ts';
import { startTmux } from '../nudge/tmux-server.ts';
import type { RealProgram } from './programs/program.ts';
import type { ProgramRoom } from './real-room.ts';

/** Only a hang ends here. */
export const PATIENCE_MS = 120_000;
const ENTER_AGAIN_MS = 3_000;

/** A window of tmux that a program runs in, as a person sees it. */
export interface Terminal extends AsyncDisposable {
  screen(): string;
  see(what: string, text: RegExp): Promise<void>;
  /** Waits for what the screen is to be printed beside when it never happens. */
  until(what: string, condition: () => boolean): Promise<void>;
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

export interface TerminalOptions {
  /** Is given to the program when it starts. */
  readonly prompt?: string;
  /** Joins by hand under this address before the program starts. */
  readonly join?: string;
  /** More arguments of the program. */
  readonly args?: readonly string[];
}

/** Opens the program in a window of a tmux server of its own. Whether it trusts the directory was set up before. */
export async function openTerminal(
  program: RealProgram,
  real: ProgramRoom,
  { prompt, join, args: more = [] }: TerminalOptions = {},
): Promise<Terminal> {
  const { room, place, env } = real;
  const { args, promptOption } = program.terminal;
  const words = [
    program.preset,
    ...args,
    ...more,
    ...(prompt === undefined ? [] : [...(promptOption === undefined ? [] : [promptOption]), prompt]),
  ];
  const tmux = await startTmux();
  const script = path.join(tmux.directory, 'start.sh');
  fs.writeFileSync(script, startScript(words, { ...room.cli.env, ...env }, join));
  const pane = tmux.run('new-window', '-d', '-P', '-F', '#{pane_id}', '-c', place.project, `exec sh ${script}`);
  const screen = (): string => tmux.run('capture-pane', '-p', '-J', '-t', pane);
  const see = (what: string, condition: () => boolean): Promise<void> =>
    until(() => `${what}; the screen:\n${tmux.run('capture-pane', '-p', '-e', '-t', pane)}`, condition, PATIENCE_MS);
  return {
    screen,
    see: (what, text) => see(what, () => text.test(screen())),
    until: see,
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

/** Becomes the program, with nothing in its environment but what is given here and where it is in tmux. */
function startScript(command: readonly string[], env: Readonly<Record<string, string>>, join?: string): string {
  const set = Object.entries({ ...env, TERM: 'screen-256color' }).map(([name, value]) => `${name}='${value}'`);
  const joining = join === undefined ? '' : `eval "$(mailroom join ${join} --program ${command[0]})" && `;
  const inside = `${joining}exec ${command.join(' ')}`;
  return `exec env -i TMUX="$TMUX" TMUX_PANE="$TMUX_PANE" ${set.join(' ')} sh -c '${inside}'\n`;
}
