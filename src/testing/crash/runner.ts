import { fileURLToPath } from 'node:url';
import { InvalidInput } from '../../errors.ts';
import { nodeHost } from '../../host/node-host.ts';
import type { Died, Responder } from '../../host/processes.ts';
import { resolveModule } from '../../host/resolve-module.ts';
import { isTypeScriptLoaded } from '../../host/tsx-loader.ts';
import type { CrashRun, RanToItsEnd } from './run-workflows.ts';

const RUN_MS_MAX = 120_000;

/**
 * Does each run in a process of its own, as after a real kill: one that has run the machine before still has in the
 * variables of its modules what a restart forgets. With `reuses` one that was not killed does the next run, too, which is
 * the first one in another room. The next process starts while a run goes on.
 */
export class CrashRunner {
  readonly #typeScript: string | undefined;
  readonly #reuses: boolean;
  #next: Promise<Responder> | undefined;
  #left: Promise<void> = Promise.resolve();

  /** `typeScript` is a file of the machines' that is written in it. */
  constructor({ typeScript, reuses }: { readonly typeScript: string | undefined; readonly reuses: boolean }) {
    this.#typeScript = typeScript;
    this.#reuses = reuses;
  }

  /**
   * Throws when the run fails, or its process ends otherwise than by the kill that was asked for; and at once with what
   * `failed` rejects with, which gives up the run.
   */
  async run(run: CrashRun, { failed }: { readonly failed: Promise<never> }): Promise<'killed' | RanToItsEnd> {
    const responder = await (this.#next ?? this.#start());
    const mayGoOn = this.#reuses && run.killAt === 0;
    this.#next = mayGoOn ? undefined : this.#start();
    const asked = responder.ask(run, { timeoutMs: RUN_MS_MAX });
    let hasAnswered = false;
    try {
      const heard = await Promise.race([asked, failed]);
      hasAnswered = 'answer' in heard;
      return 'answer' in heard ? (heard.answer as RanToItsEnd) : endOf(heard.died, run);
    } finally {
      if (mayGoOn && hasAnswered) this.#next = Promise.resolve(responder);
      else this.#leave(responder);
    }
  }

  async close(): Promise<void> {
    await (await this.#next)?.close();
    await this.#left;
  }

  #leave(responder: Responder): void {
    const left = responder.close();
    this.#left = this.#left.then(() => left);
  }

  #start(): Promise<Responder> {
    const { program, nodeArgs } = crashProgram({ typeScript: this.#typeScript });
    return nodeHost.processes.startResponder(program, { nodeArgs });
  }
}

function endOf({ exitCode, signal, isTimedOut, stderr }: Died, { killAt }: CrashRun): 'killed' {
  if (signal === 'SIGKILL' && killAt > 0 && !isTimedOut) return 'killed';
  const how = isTimedOut ? `took more than ${RUN_MS_MAX} ms` : `ended with ${exitCode ?? signal ?? 'nothing'}`;
  throw new Error(`a run ${how}: ${stderr.slice(-1_000)}`);
}

/**
 * The program that runs workflows until it is killed, and how node is told to run it, and the file of a machine in TypeScript:
 * through tsx where that is installed beside the file or here. Throws InvalidInput where nothing can run it.
 */
export function crashProgram({ typeScript }: { readonly typeScript: string | undefined }): {
  readonly program: string;
  readonly nodeArgs: readonly string[];
} {
  const isBuilt = import.meta.url.endsWith('.js');
  const program = fileURLToPath(new URL(isBuilt ? './crash-child.js' : './child.ts', import.meta.url));
  if (isBuilt && typeScript === undefined) return { program, nodeArgs: [] };
  // Where tsx runs this as CommonJS, import.meta has no way to resolve.
  const [tsx] = [typeScript ?? program, program].flatMap((file) => resolveModule('tsx', file) ?? []);
  if (tsx !== undefined) return { program, nodeArgs: ['--import', tsx] };
  if (isTypeScriptLoaded()) return { program, nodeArgs: [] };
  throw new InvalidInput(`Node ${process.versions.node} runs no TypeScript (${typeScript ?? program}).`, {
    hint: 'Install tsx beside it (npm install --save-dev tsx), or use Node 22.18 or newer.',
  });
}
