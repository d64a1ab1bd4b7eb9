import { visible } from '../message/visible.ts';
import type { Call } from './command.ts';
import { EXIT_OK } from './exit-code.ts';

export interface Settled {
  readonly id: string;
  /** What it is now: `acknowledged`, `released` … */
  readonly state: string;
  readonly detail?: string;
}

/** Does the same with every id given, whatever becomes of the others; then throws the first error, if there was one. */
export async function eachId(call: Call, work: (id: string) => Promise<Settled>): Promise<number> {
  const settled: Settled[] = [];
  const errors: unknown[] = [];
  for (const id of call.args.operands) {
    try {
      settled.push(await work(id));
    } catch (error) {
      errors.push(error);
    }
  }
  if (call.isJson) await call.output.report({ json: settled });
  else {
    const lines = settled.map(
      ({ id, state, detail }) => `${[state, id.slice(-8), detail].filter(Boolean).join('  ')}\n`,
    );
    await call.output.report({ text: lines.join('') });
  }
  if (errors.length === 0) return EXIT_OK;
  for (const error of errors.slice(1)) {
    await call.output.talk(`mailroom: ${visible(error instanceof Error ? error.message : String(error))}\n`);
  }
  throw errors[0];
}
