import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fingerprint } from './fingerprint.ts';
import { killAtEveryCall, killEach } from './kill-at-every-call.ts';
import { expectTrueOutcome } from './promises.ts';
import { copyTree } from './room-template.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

/** An operation, and how somebody goes on after it was killed. */
export interface Recovered {
  readonly first: Scenario;
  readonly recovery: Omit<Scenario, 'prepare' | 'title'>;
}

export interface KilledTwice {
  readonly firstKills: number;
  /** How many of them left a room in a state of its own. */
  readonly states: number;
  readonly secondKills: number;
}

/**
 * Kills an operation in place of each of its calls and, for each state that this leaves, the recovery in place of each
 * of its own. With `isLiteral` from every kill, also where several leave the same: a call that only reads changes nothing.
 */
export async function killTwice(
  program: string,
  { first, recovery }: Recovered,
  { isLiteral }: { isLiteral: boolean },
): Promise<KilledTwice> {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-twice-'));
  try {
    const left = new Map<string, string>();
    const firstKills = await killEach(program, first, async ({ n, directory, hasSucceeded, discard }) => {
      await expectTrueOutcome(first, { directory, hasSucceeded });
      const state = isLiteral ? String(n) : fingerprint(directory);
      if (!left.has(state)) {
        left.set(state, path.join(base, String(n)));
        copyTree(directory, path.join(base, String(n)));
      }
      discard();
    });
    let secondKills = 0;
    for (const directory of left.values()) {
      const prepare = async (room: string): Promise<void> => copyTree(directory, room);
      const { kills } = await killAtEveryCall(program, { ...recovery, title: first.title, prepare });
      secondKills += kills;
    }
    return { firstKills, states: left.size, secondKills };
  } finally {
    fs.rmSync(base, { recursive: true, force: true });
  }
}

const HOUR_MS = 3_600_000;

/** By what was done first. */
export const RECOVERIES: readonly Recovered[] = [
  ...['send with an id', 'send with an id, surviving power loss'].map((title): Recovered => {
    const first = scenarioOf(title);
    return { first, recovery: first };
  }),
  {
    first: scenarioOf('claim'),
    // The next reader comes when the lease of the killed one has ended.
    recovery: {
      operation: 'drain',
      args: { aheadMs: HOUR_MS },
      subject: { from: 'new', to: 'done', between: ['held', 'open'] },
    },
  },
  { first: scenarioOf('acknowledge'), recovery: scenarioOf('acknowledge') },
];

function scenarioOf(title: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.title === title);
  if (!found) throw new Error(`there is no scenario "${title}"`);
  return found;
}
