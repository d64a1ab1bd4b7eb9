import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprint, forgetEnded } from '../../src/testing/explore/fingerprint.ts';
import { lineOf } from '../../src/testing/explore/line.ts';
import { movesOf } from '../../src/testing/explore/moves.ts';
import { seen } from '../../src/testing/explore/situation.ts';
import { commitStarts } from '../../src/testing/explore/explore.ts';
import type { SituationSeen, SystemUnderTest } from '../../src/testing/explore/system.ts';
import { explore } from '../../src/testing.ts';
import { checkProperty } from '../message/property.ts';
import { amount } from '../run/amount.ts';
import { MiniHost } from './mini-host.ts';
import { clocks, limbo, lost, successive, top } from './racing-machines.ts';
import { shipSystem } from './ship-system.ts';

const MOVES_MAX = 60;
const WALKS = amount(25, { long: 100 });
const ships = { to: 'ship', type: 'GO', data: { change: 'c1' }, always: true } as const;

const SYSTEMS: Readonly<Record<string, SystemUnderTest>> = {
  ship: shipSystem,
  'two ships, one reviewer': {
    ...shipSystem,
    workflows: { ...shipSystem.workflows, second: shipSystem.workflows.ship },
    agents: { bob: { sends: [ships, { ...ships, to: 'second' }] } },
  },
  limbo: {
    workflows: { ship: { machine: limbo } },
    agents: {
      bob: { sends: [{ to: 'ship', type: 'GO' }] },
      reviewer: { answers: () => [{ type: 'INFO' }, { type: 'VERDICT', to: 'ship' }] },
    },
  },
  top: { workflows: { top: { machine: top } } },
  clocks: { workflows: { clocks: { machine: clocks } } },
  lost: { workflows: { lost: { machine: lost } }, agents: { bob: {} } },
  successive: {
    workflows: { s: { machine: successive } },
    agents: { bob: { sends: [{ to: 's', type: 'PING', times: 3 }] }, system: { sends: [{ to: 's', type: 'STOP' }] } },
  },
};

describe.each(Object.entries(SYSTEMS))('random walks of the system %s', (name, system) => {
  it('are followed by a host that is written otherwise, and end where the exploration does', () => {
    const explored = explore({ ...system, summarize: wordsOf });
    const summaries = new Set<string>();
    const known = explored.ends.map(({ summary }) => summary);
    const counts = { walks: 0, moves: 0, ended: 0 };
    const walk = fc.property(fc.infiniteStream(fc.nat()), (choices) => {
      const host = new MiniHost(system);
      const path: string[] = [];
      let { situation } = commitStarts(system, (taken) => expect(host.follow(taken)).toBeUndefined());
      counts.walks += 1;
      for (const choice of choices) {
        const moves = movesOf(system, situation);
        if (moves.length === 0 || path.length >= MOVES_MAX) break;
        const taken = moves[choice % moves.length]?.take();
        if (!taken) break;
        path.push(lineOf(taken));
        const fault = host.follow(taken);
        if (fault !== undefined) throw new Error(`${fault}, after\n${path.join('\n')}`);
        situation = taken.situation;
        const tidied = forgetEnded(situation);
        // What is forgotten can change nothing any more.
        expect(movesOf(system, tidied).length).toBe(movesOf(system, situation).length);
        expect(fingerprint(system, tidied)).toBe(fingerprint(system, forgetEnded(tidied)));
        counts.moves += 1;
      }
      for (const [address, { state }] of situation.workflows)
        expect(host.stateOf(address)?.snapshot).toEqual(
          JSON.parse(JSON.stringify(state?.snapshot ?? null)) ?? undefined,
        );
      if (movesOf(system, situation).length > 0) return;
      counts.ended += 1;
      expect(host.leftovers()).toEqual([]);
      summaries.add(wordsOf(seen(situation)));
    });
    checkProperty(`walks of ${name}`, walk, { runs: WALKS });
    console.log(`walks of ${name}: ${JSON.stringify(counts)}, ${summaries.size} ends, ${explored.states} states`);
    expect(counts.ended).toBeGreaterThan(0);
    for (const summary of summaries) expect(known).toContain(summary);
  });
});

/** Where everything is, without ids, which depend on the way. */
function wordsOf({ workflows }: SituationSeen): string {
  return JSON.stringify(workflows).replaceAll(/00000000-0000-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}/g, 'id');
}
