import type { Host } from '../host/host.ts';
import { listClaims } from './claim.ts';
import { readExit } from './exit-record.ts';
import { readSpec } from './job-spec.ts';

/** Reads every record of a job, for whoever looks whether they can be believed. Throws JobFailed for the first that cannot. */
export function readWholeJob(host: Host, directory: string): void {
  readSpec(host, directory);
  for (const { attempt } of listClaims(host, directory)) readExit(host, attempt);
}
