import { fork, type ChildProcess, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { childEnvironment } from './child-environment.ts';
import type { Died, Responder } from './processes.ts';

const STDERR_CHARS_MAX = 4_000;
/** How long to wait for remaining output of a program that has ended. */
const OUTPUT_END_MS = 100;

/** A child process with the channel that `fork` provides. */
export class NodeResponder implements Responder {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stderr = '';
  #isTimedOut = false;

  constructor(program: string, { nodeArgs }: { nodeArgs: readonly string[] }) {
    this.#child = fork(program, [], {
      env: childEnvironment(),
      execArgv: [...nodeArgs],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#exited = new Promise<void>((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.on('error', (error) => {
        this.#stderr += String(error);
        // A program that never started does not exit.
        if (this.#child.pid === undefined) resolve();
      });
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS_MAX);
    });
  }

  async ask(
    message: unknown,
    { timeoutMs }: { timeoutMs: number },
  ): Promise<{ readonly answer: unknown } | { readonly died: Died }> {
    const timer = setTimeout(() => {
      this.#isTimedOut = true;
      this.#child.kill('SIGKILL');
    }, timeoutMs);
    const answered = once(this.#child, 'message') as Promise<[unknown]>;
    // If it has died meanwhile, its exit tells.
    if (this.#child.connected) this.#child.send(message as Serializable, () => {});
    const heard = await Promise.race([answered, this.#exited]).finally(() => clearTimeout(timer));
    return heard ? { answer: heard[0] } : { died: await this.#died() };
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }

  async #died(): Promise<Died> {
    const { stderr, exitCode, signalCode } = this.#child;
    // Others may hold its stderr open, and then it does not end with the program.
    if (stderr && !stderr.readableEnded)
      await once(stderr, 'end', { signal: AbortSignal.timeout(OUTPUT_END_MS) }).catch(() => {});
    return { exitCode, signal: signalCode, isTimedOut: this.#isTimedOut, stderr: this.#stderr };
  }
}
