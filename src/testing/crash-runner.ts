import type { Responder } from '../host/processes.ts';
import { nodeHost } from '../host/node-host.ts';
import type { CrashRun, RanToItsEnd } from './crash-child.ts';
import { crashProgram } from './crash-program.ts';

const RUN_MS_MAX = 120_000;

/**
 * A process that does one run after another until one of them kills it; the next run starts another one. So a schedule
 * costs as many starts of a process as it has kills.
 */
export class CrashRunner {
  readonly #isTypeScript: boolean;
  #process: Responder | undefined;

  constructor({ isTypeScript }: { readonly isTypeScript: boolean }) {
    this.#isTypeScript = isTypeScript;
  }

  /** Throws when the run fails, or its process ends otherwise than by the kill that was asked for. */
  async run(run: CrashRun): Promise<'killed' | RanToItsEnd> {
    const { program, nodeArgs } = crashProgram({ isTypeScript: this.#isTypeScript });
    this.#process ??= await nodeHost.processes.startResponder(program, { nodeArgs });
    const heard = await this.#process.ask(run, { timeoutMs: RUN_MS_MAX });
    if ('answer' in heard) return heard.answer as RanToItsEnd;
    this.#process = undefined;
    const { exitCode, signal, isTimedOut, stderr } = heard.died;
    if (signal === 'SIGKILL' && run.killAt > 0 && !isTimedOut) return 'killed';
    const how = isTimedOut ? `took more than ${RUN_MS_MAX} ms` : `ended with ${exitCode ?? signal ?? 'nothing'}`;
    throw new Error(`a run ${how}: ${stderr.slice(-1_000)}`);
  }

  async close(): Promise<void> {
    await this.#process?.close();
  }
}
