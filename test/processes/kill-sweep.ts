import { runFixture, type Ended } from './child.ts';
import { isTried } from './stride.ts';

const AT_ONCE = 3;
const CALLS_MAX = 300;

/**
 * Runs a fixture once for each of its calls, killed in place of that call, until one runs to its end. `args` gives the
 * arguments for a kill at call `n`, `check` looks at what was left. Of `stride` calls one is tried. Returns how many there
 * are.
 */
export async function killSweep(
  fixture: string,
  args: (n: number) => readonly string[],
  check: (n: number, ended: Ended) => Promise<void> | void,
  stride = 1,
): Promise<number> {
  let next = 1;
  let calls: number | undefined;
  const worker = async (): Promise<void> => {
    while (calls === undefined || next <= calls) {
      const n = next++;
      if (!isTried(n, stride)) continue;
      if (n > CALLS_MAX) throw new Error(`${fixture} makes more than ${CALLS_MAX} calls`);
      const ended = await runFixture(fixture, args(n));
      if (ended.signal !== 'SIGKILL') calls = Math.min(calls ?? n, n - 1);
      try {
        await check(n, ended);
      } catch (error) {
        throw new Error(`${fixture} killed at call ${n}: ${String(error)}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return calls ?? 0;
}
