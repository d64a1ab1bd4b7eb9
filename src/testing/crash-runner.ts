import type { Responder } from '../host/processes.ts';
import { nodeHost } from '../host/node-host.ts';
import type { CrashRun, RanToItsEnd } from './crash-child.ts';
import { crashProgram } from './crash-program.ts';

const RUN_MS_MAX = 120_000;

/**
 * Does each run in a process of its own, as after a real kill: one that has run the machine before still has in the
 * variables of its modules what a restart forgets. The next one starts while a run goes on.
 */
export class CrashRunner {
  readonly #isTypeScript: boolean;
  #next: Promise<Responder> | undefined;
  #left: Promise<void> = Promise.resolve();

  constructor({ isTypeScript }: { readonly isTypeScript: boolean }) {
    this.#isTypeScript = isTypeScript;
  }

  /**
   * Throws when the run fails, or its process ends otherwise than by the kill that was asked for; and at once with what
   * `failed` rejects with, which gives up the run.
   */
  async run(run: CrashRun, { failed }: { readonly failed: Promise<never> }): Promise<'killed' | RanToItsEnd> {
    const responder = await (this.#next ?? this.#start());
    this.#next = this.#start();
    const asked = responder.ask(run, { timeoutMs: RUN_MS_MAX });
    const heard = await Promise.race([asked, failed]).finally(() => {
      const left = responder.close();
      this.#left = this.#left.then(() => left);
    });
    if ('answer' in heard) return heard.answer as RanToItsEnd;
    const { exitCode, signal, isTimedOut, stderr } = heard.died;
    if (signal === 'SIGKILL' && run.killAt > 0 && !isTimedOut) return 'killed';
    const how = isTimedOut ? `took more than ${RUN_MS_MAX} ms` : `ended with ${exitCode ?? signal ?? 'nothing'}`;
    throw new Error(`a run ${how}: ${stderr.slice(-1_000)}`);
  }

  async close(): Promise<void> {
    await (await this.#next)?.close();
    await this.#left;
  }

  #start(): Promise<Responder> {
    const { program, nodeArgs } = crashProgram({ isTypeScript: this.#isTypeScript });
    return nodeHost.processes.startResponder(program, { nodeArgs });
  }
}
