import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Below the ports that systems hand out by themselves (from 32768 on Linux, 49152 elsewhere). */
const FIRST = 10_000;
const LAST = 31_999;
const PORTS_OF_A_CHECKOUT = 10;
const SLOTS = Math.floor((LAST - FIRST + 1) / PORTS_OF_A_CHECKOUT);

/**
 * The first of the ten ports that belong to a checkout of a run and to no other checkout of it: services that agents and tests start
 * side by side would take each other's. Claimed by a file in `<work directory>/ports`, created exclusively; the same checkout
 * gets the same ports. Other runs begin at other places, by chance. Throws an Error when all are taken.
 */
export function claimPorts({ workDirectory, directory }: { workDirectory: string; directory: string }): number {
  const claims = path.join(workDirectory, 'ports');
  fs.mkdirSync(claims, { recursive: true });
  const name = path.relative(workDirectory, directory);
  const start = createHash('sha256').update(`${workDirectory}\n${name}`).digest().readUInt32BE() % SLOTS;
  for (let tried = 0; tried < SLOTS; tried++) {
    const first = FIRST + ((start + tried) % SLOTS) * PORTS_OF_A_CHECKOUT;
    const claim = path.join(claims, String(first));
    try {
      // A link publishes the claim whole, so that nobody sees one without a name.
      const staged = `${claim}.${process.pid}.new`;
      fs.writeFileSync(staged, name);
      try {
        fs.linkSync(staged, claim);
      } finally {
        fs.rmSync(staged);
      }
      return first;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (fs.readFileSync(claim, 'utf8') === name) return first;
    }
  }
  throw new Error(`All ${SLOTS} ranges of ports in ${claims} are taken. Remove the files of checkouts that are gone.`);
}

/** The environment by which a command in a checkout learns its ports: `PORT`, and the first of ten in `MAILROOM_PORT_BASE`. */
export function portEnvironment(first: number | null | undefined): Readonly<Record<string, string>> {
  return first === null || first === undefined ? {} : { PORT: String(first), MAILROOM_PORT_BASE: String(first) };
}
