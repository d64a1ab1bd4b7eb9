import { killSweep } from '../processes/kill-sweep.ts';
import { fingerprint } from './fingerprint.ts';
import { expectRepeatable, expectTrueOutcome } from './promises.ts';
import { createTemplate } from './room-template.ts';
import type { Scenario } from './scenario.ts';

export interface KilledEverywhere {
  readonly kills: number;
  /** How many different states, with what had been reported, they left the room in. */
  readonly states: number;
  /** How many had reported success when they ended, the unkilled ones among them. */
  readonly reported: number;
}

/**
 * Kills one operation in place of each of its calls, or of one in `stride`, each time in a room of its own, and checks
 * every promise.
 */
export async function killAtEveryCall(program: string, scenario: Scenario, stride = 1): Promise<KilledEverywhere> {
  const states = new Set<string>();
  let reported = 0;
  let kills = 0;
  const look = async ({ directory, hasSucceeded, discard }: Left): Promise<void> => {
    kills += 1;
    reported += Number(hasSucceeded);
    await expectTrueOutcome(scenario, { directory, hasSucceeded });
    // From an equal state the repetition goes the same way.
    const state = `${String(hasSucceeded)} ${fingerprint(directory)}`;
    const isKnown = states.has(state);
    states.add(state);
    if (!isKnown) await expectRepeatable(scenario, { directory, hasSucceeded });
    discard();
  };
  await killEach(program, scenario, look, stride);
  return { kills, states: states.size, reported };
}

/** What a killed child left; `discard` removes it. */
export interface Left {
  readonly n: number;
  readonly directory: string;
  readonly hasSucceeded: boolean;
  readonly discard: () => void;
}

/** The same with a check of one's own; what it does not discard stays until all are done. Returns the number of kills. */
export async function killEach(
  program: string,
  { operation, args = {}, prepare }: Scenario,
  check: (left: Left) => Promise<void>,
  stride = 1,
): Promise<number> {
  const template = await createTemplate(prepare);
  const rooms = new Map<number, string>();
  try {
    return await killSweep(
      program,
      (n) => {
        const directory = template.copy();
        rooms.set(n, directory);
        return [operation, directory, String(n), JSON.stringify(args)];
      },
      (n, { stdout }) => {
        const directory = rooms.get(n) ?? '';
        return check({ n, directory, hasSucceeded: stdout !== '', discard: () => template.discard(directory) });
      },
      stride,
    );
  } finally {
    template.remove();
  }
}
