/** Places in the shared numbers. */
export interface SharedPlaces {
  /** How many stretches have begun or ended: odd within one. */
  readonly turns: number;
  /** Length in bytes of the text of the stretch. */
  readonly length: number;
  /** The last signal that the main thread has received, by the number that the thread gave it. */
  readonly heard: number;
}

export interface ThreadData {
  readonly numbers: Int32Array;
  /** The path, a line feed, and the note. */
  readonly text: Uint8Array;
  readonly places: SharedPlaces;
  readonly stretchMsMax: number;
}

/** Messages from the thread to the main thread. */
export type FromThread =
  | { readonly listens: true }
  /** Each signal has a number of its own. */
  | { readonly signal: NodeJS.Signals; readonly number: number };

/** The signals to listen for from now on. */
export interface ToThread {
  readonly hear: readonly (readonly [name: NodeJS.Signals, number: number])[];
}

/** What the main thread is doing, as the thread sees it. */
export interface StretchWatch {
  /** What it does at that turn; undefined if that has ended by the time it was read. */
  readonly at: (turns: number) => { readonly path: string; readonly note: string } | undefined;
  /** Writes a note about a stretch that takes too long, and removes it when the stretch has ended. */
  readonly look: () => void;
}

/** A part of the thread, see `watchdogThread`. */
export function watchStretches({ numbers, text, places, stretchMsMax }: ThreadData): StretchWatch {
  const fs = process.getBuiltinModule('node:fs');
  let noted: { readonly path: string; readonly turns: number } | undefined;
  let seen: { readonly turns: number; readonly atMs: number } | undefined;
  const at: StretchWatch['at'] = (turns) => {
    const [path = '', note = ''] = Buffer.from(text.slice(0, Atomics.load(numbers, places.length)))
      .toString()
      .split('\n');
    return Atomics.load(numbers, places.turns) === turns ? { path, note } : undefined;
  };
  const look = (): void => {
    const turns = Atomics.load(numbers, places.turns);
    if (noted && noted.turns !== turns) {
      fs.rmSync(noted.path, { force: true });
      noted = undefined;
    }
    if (seen?.turns !== turns) seen = { turns, atMs: performance.now() };
    if ((turns & 1) === 0 || noted || performance.now() - seen.atMs < stretchMsMax) return;
    const found = at(turns);
    if (!found) return;
    noted = { path: found.path, turns };
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = fs.constants;
    const fd = fs.openSync(found.path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      fs.writeSync(fd, found.note);
    } finally {
      fs.closeSync(fd);
    }
  };
  return { at, look };
}

/** A part of the thread: ends the process after a signal that the main thread does not hear. Returns what to call for each signal. */
export function endUnheard(
  { numbers, places }: ThreadData,
  { stretches, lookMs, tell }: { stretches: StretchWatch; lookMs: number; tell: (message: FromThread) => void },
): (name: NodeJS.Signals) => void {
  const fs = process.getBuiltinModule('node:fs');
  /**
   * After a signal: how long one stretch may take, and how long the main thread may take in all. Counted in looks,
   * because a process that was stopped for a while has done nothing in that time.
   */
  const STRETCH_LOOKS_MAX = 4;
  const LOOKS_MAX = 40;
  let signals = 0;
  return (name) => {
    const number = ++signals;
    let looks = 0;
    let within = { turns: 0, looks: 0 };
    tell({ signal: name, number });
    const waiting = setInterval(() => {
      if (Atomics.load(numbers, places.heard) >= number) return clearInterval(waiting);
      const turns = Atomics.load(numbers, places.turns);
      within = { turns, looks: turns === within.turns ? within.looks + 1 : 1 };
      const isInStretch = (turns & 1) === 1;
      if (++looks < LOOKS_MAX && !(isInStretch && within.looks > STRETCH_LOOKS_MAX)) return;
      const found = isInStretch ? stretches.at(turns) : undefined;
      // The cause is already inert: see Stretch.
      const { cause } = JSON.parse(found?.note ?? '{}') as { cause?: string };
      const where = cause === undefined ? 'outside of a step, in something' : `within a step on ${cause}`;
      try {
        fs.writeSync(2, `mailroom: ended by ${name} ${where} that does not return. Nothing is lost.\n`);
      } catch {
        // There is nobody left to tell.
      }
      process.kill(process.pid, 'SIGKILL');
    }, lookMs);
  };
}

/**
 * The thread of the watchdog. The source texts of it and of its parts are evaluated in a thread without Mailroom's modules, so each
 * uses nothing from outside but its arguments. Signals in a thread are an undocumented part of Node: libuv hands each one to every
 * loop that listens, and a loop other than the main one listens through Node's own binding for signals, which `--expose-internals`
 * gives to a thread (Node 20 to 26; before 24 `process.binding` would do as well). If that is missing, only the main thread hears
 * signals.
 */
export function watchdogThread(
  load: (module: string) => unknown,
  watch: typeof watchStretches,
  end: typeof endUnheard,
): void {
  const LOOK_MS = 250;
  interface SignalWrap {
    onsignal: () => void;
    start(signal: number): number;
    close(): void;
  }
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const data = workerData as ThreadData;
  const wraps = new Map<NodeJS.Signals, SignalWrap>();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  const tell = (message: FromThread): void => parentPort?.postMessage(message);
  const stretches = watch(data);
  const endUnlessHeard = end(data, { stretches, lookMs: LOOK_MS, tell });
  const hear = (name: NodeJS.Signals, signal: number): void => {
    const internals = load('internal/test/binding') as {
      internalBinding(name: string): { Signal: new () => SignalWrap };
    };
    const { Signal } = internals.internalBinding('signal_wrap');
    const wrap = new Signal();
    wrap.onsignal = () => endUnlessHeard(name);
    if (wrap.start(signal) === 0) wraps.set(name, wrap);
  };

  parentPort?.on('message', ({ hear: wanted }: ToThread) => {
    const names = new Set(wanted.map(([name]) => name));
    for (const [name, wrap] of wraps) {
      if (names.has(name)) continue;
      wrap.close();
      wraps.delete(name);
    }
    try {
      for (const [name, number] of wanted) if (!wraps.has(name)) hear(name, number);
    } catch {
      // This Node has no such binding: signals reach only the main thread, as usual.
    }
    tell({ listens: true });
  });
  setInterval(() => {
    try {
      stretches.look();
    } catch {
      // A note that cannot be written now is missed; the next look does not retry it.
    }
  }, LOOK_MS);
}
