import type { Host } from '../host/host.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { publishJobFile, readJobFile } from './job-file.ts';
import { ATTEMPTS_MAX, claimPath, type Attempt } from './job-layout.ts';

/** Which wrapper an attempt belongs to. */
export interface Claim {
  readonly wrapper: ProcessIdentity;
  /** Ms since the machine started, so that any process of this boot can tell how long it has been. */
  readonly uptimeMs: number;
}

/** Whether the attempt belongs to this process from now on; false when it is another's. */
export async function claimAttempt(host: Host, attempt: Attempt): Promise<boolean> {
  const claim: Claim = { wrapper: host.processes.self(), uptimeMs: host.clock.uptimeMs() };
  // At the link in there the attempt is this process's, and whoever finds the claim knows whose it is.
  return publishJobFile(host, attempt.directory, claimPath(attempt), { v: 1, ...claim });
}

/** Undefined when nobody has claimed it yet. Throws JobFailed for a file that makes no sense. */
export function readClaim(host: Host, attempt: Attempt): Claim | undefined {
  return readJobFile(host.files, claimPath(attempt), ({ v, wrapper, uptimeMs }) =>
    v === 1 && isIdentity(wrapper) && typeof uptimeMs === 'number' ? { wrapper, uptimeMs } : undefined,
  );
}

/** The attempts that were claimed, in order. */
export function listClaims(host: Host, directory: string): (Claim & { readonly attempt: Attempt })[] {
  const claims = [];
  for (let number = 1; number <= ATTEMPTS_MAX; number++) {
    const attempt = { directory, number };
    const claim = readClaim(host, attempt);
    if (!claim) break;
    claims.push({ ...claim, attempt });
  }
  return claims;
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value) || !('startTime' in value) || !('bootId' in value)) return false;
  const { pid, startTime, bootId } = value;
  // 0 and 1 would mean other things to kill(2) than a process of ours.
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return false;
  const namespace = 'pidNamespace' in value ? value.pidNamespace : '';
  return [startTime, bootId, namespace].every((one) => typeof one === 'string');
}
