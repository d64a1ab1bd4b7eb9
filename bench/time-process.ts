import { spawnSync } from 'node:child_process';

/** What the processes that are measured have in common. */
export interface Started {
  /** The program that runs JavaScript. */
  readonly node: string;
  /** The room that commands work in. */
  readonly room: string;
}

/** The ns that a whole process took. Throws when it fails. */
export function timeProcess({ node, room }: Started, args: readonly string[], input = ''): number {
  // No other variable: NODE_EXTRA_CA_CERTS alone costs tens of ms.
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], MAILROOM_DIR: room };
  const start = process.hrtime.bigint();
  // A pipe, as agents read the output of a command.
  const { status, stderr } = spawnSync(node, args, { env, input, stdio: ['pipe', 'pipe', 'pipe'] });
  const ns = Number(process.hrtime.bigint() - start);
  if (status !== 0) throw new Error(`${node} ${args.join(' ')} ended with ${status}: ${String(stderr)}`);
  return ns;
}
