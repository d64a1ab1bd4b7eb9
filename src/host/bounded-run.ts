import { runInNewContext } from 'node:vm';

/**
 * Runs work that may take for ever because of what somebody else wrote, such as a regular expression matched against a
 * text. Undefined if it took longer than `timeoutMs`; throws what the work throws. Only for synchronous work that may
 * be cut off anywhere.
 */
export function runBounded<T>(work: () => T, timeoutMs: number): { readonly value: T } | undefined {
  let done: { readonly value: T } | undefined;
  try {
    // V8 checks the timeout even within a regular expression, and in code of other contexts.
    runInNewContext('work()', { work: () => void (done = { value: work() }) }, { timeout: timeoutMs });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    return undefined;
  }
  return done;
}

function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}
