import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessIdentity, Room } from 'agent-mailroom';
import { nodeHost } from 'agent-mailroom/runtime';
import { cut, childEnvironment } from 'agent-mailroom/workflow';
import { MAILROOM } from '../shared/mailroom-command.ts';
import { mindOf, type MemberTerms } from './terms.ts';

const LOOK_EVERY_MS = 100;
const WATCH_EVERY_MS = 1_000;
const JOIN_MS_MAX = 20_000;
const LEAVE_MS_MAX = 8_000;
const PAUSE_MS_MAX = 60_000;
const SAID_CHARS_SHOWN = 1_000;

interface MindSurroundings {
  readonly say: (text: string) => void;
  /** Whether the member ends without ending its mind. */
  readonly isLeftAlone: () => boolean;
}

/** The program behind a member: `mailroom agent <address>.mind`, a process of its own that answers what it is asked. */
export class Mind implements AsyncDisposable {
  readonly address: string;
  readonly #room: Room;
  readonly #terms: MemberTerms;
  readonly #isLeftAlone: () => boolean;
  readonly #over = new AbortController();
  readonly #log: string;
  #watching: Promise<void> = Promise.resolve();

  private constructor(room: Room, terms: MemberTerms, isLeftAlone: () => boolean) {
    this.address = mindOf(terms.address);
    this.#room = room;
    this.#terms = terms;
    this.#isLeftAlone = isLeftAlone;
    this.#log = path.join(terms.directory, 'agents', `${this.address}.log`);
  }

  /** One that lives is kept, and one that ends is started again. Throws when it does not join the room. */
  static async start(room: Room, terms: MemberTerms, { say, isLeftAlone }: MindSurroundings): Promise<Mind> {
    const mind = new Mind(room, terms, isLeftAlone);
    if (mind.#process() === undefined) await mind.#begin();
    mind.#watching = mind.#watch(say);
    return mind;
  }

  /** Ends it, and what it runs; one that is left alone ends by itself, after the question at hand. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#watching;
    const living = this.#process();
    if (living === undefined || this.#isLeftAlone()) return;
    try {
      process.kill(living.pid, 'SIGTERM');
    } catch {
      // Gone meanwhile.
    }
    const endMs = Date.now() + LEAVE_MS_MAX;
    while (nodeHost.processes.isAlive(living) && Date.now() < endMs) await sleep(LOOK_EVERY_MS);
  }

  #process(): ProcessIdentity | undefined {
    const found = this.#room.actors().find(({ card }) => card.address === this.address);
    return found?.live === true && nodeHost.processes.isAlive(found.card.process) ? found.card.process : undefined;
  }

  async #begin(): Promise<void> {
    const { directory, mind } = this.#terms;
    const [own, added] = atDashes(mind);
    fs.mkdirSync(path.dirname(this.#log), { recursive: true });
    const output = fs.openSync(this.#log, 'a');
    const given = ['--no-broadcasts', '--host', String(process.pid), ...own];
    // Of a session of its own: it outlives a member that is killed for as long as it takes to answer the question at hand.
    const child = spawn(
      process.execPath,
      [MAILROOM, 'agent', this.address, ...given, ...(added.length > 0 ? ['--', ...added] : [])],
      {
        cwd: directory,
        env: childEnvironment({ MAILROOM_DIR: this.#room.directory, MAILROOM_AS: this.address }),
        detached: true,
        stdio: ['ignore', output, output],
      },
    );
    child.on('error', (error) => fs.appendFileSync(this.#log, `${String(error)}\n`));
    child.unref();
    fs.closeSync(output);
    const endMs = Date.now() + JOIN_MS_MAX;
    while (this.#process() === undefined) {
      if (Date.now() > endMs || child.exitCode !== null) throw new Error(`${this.address}: ${this.#said()}`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #watch(say: (text: string) => void): Promise<void> {
    const { signal } = this.#over;
    let pauseMs = WATCH_EVERY_MS;
    while (!signal.aborted) {
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      pauseMs = WATCH_EVERY_MS;
      try {
        if (this.#process() !== undefined) continue;
        say('the mind has ended; restarting it');
        await this.#begin();
      } catch (error) {
        say(`the mind could not be started: ${(error as Error).message}`);
        pauseMs = PAUSE_MS_MAX;
      }
    }
  }

  #said(): string {
    const said = fs.readFileSync(this.#log, 'utf8').trim();
    return said === '' ? 'it did not join the room' : cut(said, { charsMax: SAID_CHARS_SHOWN, keep: 'end' });
  }
}

/** The words before and behind the first `--`. */
function atDashes(words: readonly string[]): [readonly string[], readonly string[]] {
  const at = words.indexOf('--');
  return at === -1 ? [words, []] : [words.slice(0, at), words.slice(at + 1)];
}
