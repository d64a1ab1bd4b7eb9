import { expect } from 'vitest';
import { operations } from '../../fixtures/crash/operations.ts';
import { fingerprint } from './fingerprint.ts';
import type { KilledChild } from './killed-child.ts';
import { lib } from './prepared.ts';
import { expectRepeatable, expectTrueOutcome } from './promises.ts';
import { createTemplate } from './room-template.ts';
import type { Scenario } from './scenario.ts';
import { sweepSimulated, type KilledProcess, type Left } from './simulated-sweep.ts';
import { treeOf } from './tree.ts';

/** More calls than any scenario makes. */
const CALLS_MAX = 300;

export interface KilledEverywhere {
  readonly kills: number;
  /** How many different states, with what had been reported, they left the room in. */
  readonly states: number;
  /** How many had reported success when they ended, the unkilled ones among them. */
  readonly reported: number;
  /** At how many places a process was really killed as well, and left the same room. */
  readonly realKills: number;
}

/** How an operation ended, by what it had reported until then. */
export interface Seen {
  hasSucceeded: boolean;
}

export interface KillOptions {
  readonly seed: number;
  /** Of how many calls one is tried; the seed says which. */
  readonly stride: number;
  /** Where a process is really killed: the program, and which of the places. */
  readonly real: { readonly child: KilledChild; readonly isTried: () => boolean };
  /** Told of each state that is new, while its room is still there. */
  readonly onState?: (left: Left<Seen>) => void;
}

/**
 * Kills one operation in place of each of its calls, or of one of `stride`, each time in a room of its own, and checks every promise
 * in each state that this leaves. At some places a real process is killed as well, under the same seed and clock: the same names and bytes are left.
 */
export async function killAtEveryCall(
  scenario: Scenario,
  { seed, stride, real, onState }: KillOptions,
): Promise<KilledEverywhere> {
  const template = await createTemplate(scenario.prepare);
  const startMs = Date.now();
  const states = new Set<string>();
  let reported = 0;
  let realKills = 0;
  const check = async (left: Left<Seen>): Promise<void> => {
    const { n, directory, seen } = left;
    const { hasSucceeded } = seen;
    const tree = comparable(scenario, directory);
    if (real.isTried()) {
      const other = template.copy();
      const killed = await real.child.run({ scenario, directory: other, n, seed, startMs });
      expect(killed, 'what a real process reports, and its end').toEqual({ hasSucceeded, wasKilled: left.wasKilled });
      expect(comparable(scenario, other), 'what a really killed process leaves').toEqual(tree);
      template.discard(other);
      realKills += 1;
    }
    reported += Number(hasSucceeded);
    // The same state has the same future.
    const state = `${String(hasSucceeded)} ${JSON.stringify(tree)}`;
    if (!states.has(state)) {
      states.add(state);
      onState?.(left);
      await expectTrueOutcome(scenario, { directory, hasSucceeded });
      await expectRepeatable(scenario, { directory, hasSucceeded });
    }
    template.discard(directory);
  };
  try {
    const kills = await sweepSimulated({
      seed,
      startMs,
      places: 'every call',
      callsMax: CALLS_MAX,
      stride,
      directoryFor: () => template.copy(),
      work: (child, directory) => operate(scenario, child, directory),
      check,
    });
    return { kills, states: states.size, reported, realKills };
  } finally {
    template.remove();
  }
}

/** What is equal where the same happened. Of Ed25519 each key is drawn by OpenSSL, which no seed reaches. */
function comparable({ title }: Scenario, directory: string): unknown {
  return title.includes('Ed25519') ? fingerprint(directory) : treeOf(directory);
}

function operate(
  { operation, args = {} }: Scenario,
  { host, arm, isDead }: KilledProcess,
  directory: string,
): { readonly seen: Seen; readonly done: Promise<void> } {
  const seen = { hasSucceeded: false };
  const report = (): void => {
    seen.hasSucceeded ||= !isDead();
  };
  return { seen, done: operations[operation]({ lib, host, directory, args, arm, report }) };
}
