import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { killAtEveryCall, type KillOptions } from './kill-at-every-call.ts';
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
  /** In how many states they left the room. */
  readonly states: number;
  readonly secondKills: number;
  /** At how many places a process was really killed as well. */
  readonly realKills: number;
}

/**
 * Kills an operation in place of each of its calls and, for each state that this leaves, the recovery in place of each of its
 * own. Of kills that leave the same state one is enough: what comes after it is the same.
 */
export async function killTwice(
  { first, recovery }: Recovered,
  options: Omit<KillOptions, 'onState'>,
): Promise<KilledTwice> {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-twice-'));
  try {
    const left: string[] = [];
    const { kills, realKills } = await killAtEveryCall(first, {
      ...options,
      onState: ({ n, directory }) => {
        left.push(path.join(base, String(n)));
        copyTree(directory, path.join(base, String(n)));
      },
    });
    const twice = { firstKills: kills, states: left.length, secondKills: 0, realKills };
    for (const directory of left) {
      const prepare = async (room: string): Promise<void> => copyTree(directory, room);
      const second = await killAtEveryCall({ ...recovery, title: first.title, prepare }, options);
      twice.secondKills += second.kills;
      twice.realKills += second.realKills;
    }
    return twice;
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
