import type { Responder } from '../host/processes.ts';
import { nodeHost } from '../host/node-host.ts';
import type { CrashRun, RanToItsEnd } from './crash-child.ts';
import { crashProgram } from './crash-program.ts';

const RUN_MS_MAX = 120_000;

/**
 * Does runs in processes of their own. A run that is to be killed gets a new process, runs that go to their end share one: so
 * a schedule costs as many starts of a process as it has kills, and its longest run is done by code that is warm.
 */
export class CrashRunner {
  readonly #isTypeScript: boolean;
  #mortal: Responder | undefined;
  #lasting: Responder | undefined;

  constructor({ isTypeScript }: { readonly isTypeScript: boolean }) {
    this.#isTypeScript = isTypeScript;
  }

  /** Throws when the run fails, or its process ends otherwise than by the kill that was asked for. */
  async run(run: CrashRun): Promise<'killed' | RanToItsEnd> {
    const { program, nodeArgs } = crashProgram({ isTypeScript: this.#isTypeScript });
    const start = (): Promise<Responder> => nodeHost.processes.startResponder(program, { nodeArgs });
    const isMortal = run.killAt > 0;
    // One whose run was over before its kill is still there.
    const responder = isMortal ? (this.#mortal ??= await start()) : (this.#lasting ??= await start());
    const heard = await responder.ask(run, { timeoutMs: RUN_MS_MAX });
    if ('answer' in heard) return heard.answer as RanToItsEnd;
    if (isMortal) this.#mortal = undefined;
    else this.#lasting = undefined;
    const { exitCode, signal, isTimedOut, stderr } = heard.died;
    if (signal === 'SIGKILL' && isMortal && !isTimedOut) return 'killed';
    const how = isTimedOut ? `took more than ${RUN_MS_MAX} ms` : `ended with ${exitCode ?? signal ?? 'nothing'}`;
    throw new Error(`a run ${how}: ${stderr.slice(-1_000)}`);
  }

  async close(): Promise<void> {
    await Promise.all([this.#mortal?.close(), this.#lasting?.close()]);
  }
}
