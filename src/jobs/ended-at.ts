import type { Host } from '../host/host.ts';
import { listClaims } from './claim.ts';
import { readExit } from './exit-record.ts';

/** When the command of a job ended, ms since the epoch; undefined while none of its attempts says so. Throws JobFailed. */
export function endedAt(host: Host, directory: string): number | undefined {
  const last = listClaims(host, directory).at(-1);
  const exit = last && readExit(host, last.attempt);
  return exit && Date.parse(exit.endedAt);
}
