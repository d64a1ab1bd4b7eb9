import { identify } from './process-identity.ts';
import { STRETCH_MS_MAX, type Stretch, type Watchdog } from './watchdog.ts';
import {
  endUnheard,
  type FromThread,
  type ThreadData,
  type ToThread,
  watchdogThread,
  watchStretches,
} from './watchdog-thread.ts';

/** A process that ends sooner does not pay for the thread. */
const THREAD_AFTER_MS = 1_000;
const PLACES = { turns: 0, length: 1, heard: 2 } as const;
const TEXT_BYTES_MAX = 16 * 1024;
/** tsx and others wrap functions in it, so a text that is evaluated elsewhere has to bring it along. */
const PROLOGUE = 'const __name = (named) => named;';

/** The thread, once started, and what it shares with the main one. */
interface WatchdogThread {
  readonly numbers: Int32Array;
  readonly text: Buffer;
  post(message: ToThread): void;
  end(): void;
}

type SignalListener = (signal: NodeJS.Signals) => void;

interface Hearing {
  readonly signals: readonly NodeJS.Signals[];
  readonly listener: SignalListener;
}

/** One per process, however many hosts it has: all of them share the main thread. */
class NodeWatchdog implements Watchdog {
  readonly #hearings = new Set<Hearing>();
  #watches = 0;
  #timer: NodeJS.Timeout | undefined;
  #thread: WatchdogThread | undefined;
  #self: string | undefined;
  /** Until the thread is there, each stretch is noted as it begins, in these open files, by path. */
  readonly #early = new Map<string, number>();

  watch(): Disposable {
    this.#watches += 1;
    this.#timer ??= setTimeout(() => this.#start(), THREAD_AFTER_MS).unref();
    return once(() => {
      this.#watches -= 1;
      if (this.#watches === 0) this.#stop();
    });
  }

  during<T>(stretch: Stretch, work: () => T): T {
    if (this.#watches === 0) return work();
    const thread = this.#thread;
    if (!thread) {
      const { path } = stretch;
      this.#noteEarly(path, this.#note(stretch));
      try {
        return work();
      } finally {
        this.#noteEarly(path, '');
      }
    }
    const { numbers, text } = thread;
    numbers[PLACES.length] = text.write(`${stretch.path}\n${this.#note(stretch)}`);
    Atomics.add(numbers, PLACES.turns, 1);
    try {
      return work();
    } finally {
      Atomics.add(numbers, PLACES.turns, 1);
    }
  }

  hear(signals: readonly NodeJS.Signals[], listener: SignalListener): Disposable {
    const watch = this.watch();
    const hearing = { signals, listener };
    this.#hearings.add(hearing);
    if (this.#thread) this.#tellSignals();
    return once(() => {
      this.#hearings.delete(hearing);
      for (const name of signals) process.off(name, listener);
      if (this.#thread) this.#tellSignals();
      watch[Symbol.dispose]();
    });
  }

  #start(): void {
    this.#forgetEarly();
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    const numbers = new Int32Array(new SharedArrayBuffer(Object.keys(PLACES).length * Int32Array.BYTES_PER_ELEMENT));
    const text = Buffer.from(new SharedArrayBuffer(TEXT_BYTES_MAX));
    const workerData: ThreadData = { numbers, text, places: PLACES, stretchMsMax: STRETCH_MS_MAX };
    try {
      // Neither the options nor the environment of this process: a loader named there would be loaded once more.
      const execArgv = ['--expose-internals', '--no-warnings'];
      const options = { eval: true, execArgv, env: {}, workerData };
      const parts = [watchStretches, endUnheard].map((part) => `(${part.toString()})`).join(', ');
      const worker = new Worker(`${PROLOGUE}(${watchdogThread.toString()})(require, ${parts})`, options);
      worker.on('message', (message: FromThread) => {
        if ('listens' in message) return this.#hearInMainThread();
        Atomics.store(numbers, PLACES.heard, message.number);
        this.#pass(message.signal);
      });
      worker.on('error', () => this.#hearInMainThread());
      // After the listeners: the first listener for messages keeps the process alive.
      worker.unref();
      this.#thread = {
        numbers,
        text,
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
        post: (message) => worker.postMessage(message),
        end: () => void worker.terminate(),
      };
      this.#tellSignals();
    } catch {
      // The system gives no thread: do what is possible without one.
      this.#hearInMainThread();
    }
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#forgetEarly();
    this.#thread?.end();
    this.#thread = undefined;
  }

  #tellSignals(): void {
    const { signals: numbers } = process.getBuiltinModule('node:os').constants;
    const names = new Set([...this.#hearings].flatMap(({ signals }) => signals));
    this.#thread?.post({ hear: [...names].map((name) => [name, numbers[name]] as const) });
  }

  /**
   * Only once the thread hears them, so that there is no time in which a signal has lost its default action and nobody
   * hears it. The main thread listens as well because signal-exit, which execa loads, ends a process that has no
   * listener of its own.
   */
  #hearInMainThread(): void {
    for (const { signals, listener } of this.#hearings) {
      for (const name of signals) if (!process.listeners(name).includes(listener)) process.on(name, listener);
    }
  }

  #pass(signal: NodeJS.Signals): void {
    for (const { signals, listener } of this.#hearings) if (signals.includes(signal)) listener(signal);
  }

  /** Says since when (ms since the epoch) and for what; it counts only while that very process runs. */
  #note({ cause }: Stretch): string {
    this.#self ??= JSON.stringify(identify(process.pid) ?? { pid: process.pid, startTime: '', bootId: '' });
    return `{"v":1,"process":${this.#self},"at":${Date.now()},"cause":${JSON.stringify(cause)}}\n`;
  }

  #noteEarly(path: string, note: string): void {
    const fs = process.getBuiltinModule('node:fs');
    try {
      const { O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;
      const fd = this.#early.get(path) ?? fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
      this.#early.set(path, fd);
      if (note === '') fs.ftruncateSync(fd);
      else fs.writeSync(fd, note, 0);
    } catch {
      // Nothing depends on a note.
    }
  }

  #forgetEarly(): void {
    const fs = process.getBuiltinModule('node:fs');
    for (const [path, fd] of this.#early) {
      try {
        fs.closeSync(fd);
        fs.unlinkSync(path);
      } catch {
        // As above.
      }
    }
    this.#early.clear();
  }
}

function once(end: () => void): Disposable {
  let isOver = false;
  return {
    [Symbol.dispose]: () => {
      if (!isOver) end();
      isOver = true;
    },
  };
}

export const nodeWatchdog: Watchdog = new NodeWatchdog();
