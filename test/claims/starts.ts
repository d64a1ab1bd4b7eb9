import { claimFileName } from '../../src/message/layout.ts';
import { SQUATTER } from './copies.ts';
import { VERBS } from './verbs.ts';
import type { Messages, Actor, World } from './world.ts';

/** A situation that two actors meet; `lay` makes it with real verbs, or as a dead process would have left it. */
export interface Start {
  readonly name: string;
  readonly lay: (world: World, actors: { a: Actor; b: Actor }, messages: Messages) => void;
}

/** Longer than any lease here, but too short for anything in `tmp` to become old. */
const LEASE_OVER_MS = 5 * 60_000;

const put = (world: World, message: Messages, where: string): void =>
  world.put(`${where}/${message.first.name}`, message.first.bytes, 'first');

/** A process died between its claim and its look for duplicates. */
const putClaim = (world: World, { first }: Messages, claim: { attempt: number; untilMs: number }): void =>
  world.put(`cur/${claimFileName({ name: first.name, ...claim })}`, first.bytes, 'first');

const heldByA: Start['lay'] = (world, { a }, messages) => {
  put(world, messages, 'new');
  VERBS.claim(a, messages);
};

const expired: Start['lay'] = (world, actors, messages) => {
  heldByA(world, actors, messages);
  world.clock.nowMs += LEASE_OVER_MS;
};

const released: Start['lay'] = (world, actors, messages) => {
  heldByA(world, actors, messages);
  VERBS.release(actors.a, messages);
};

const acknowledged: Start['lay'] = (world, actors, messages) => {
  heldByA(world, actors, messages);
  VERBS.acknowledge(actors.a, messages);
};

const dead: Start['lay'] = (world, actors, messages) => {
  heldByA(world, actors, messages);
  VERBS.reject(actors.a, messages);
};

const takenOver: Start['lay'] = (world, actors, messages) => {
  expired(world, actors, messages);
  VERBS['take over'](actors.b, messages);
};

const exhausted: Start['lay'] = (world, actors, messages) => {
  heldByA(world, actors, messages);
  for (let attempt = 2; attempt <= actors.b.mailbox.limits.attemptsMax; attempt++) {
    world.clock.nowMs += LEASE_OVER_MS;
    VERBS['take over'](actors.b, messages);
  }
  world.clock.nowMs += LEASE_OVER_MS;
};

/** With a late copy by a sender that looked before the claim and linked after it. */
const sentAgain =
  (lay: Start['lay']): Start['lay'] =>
  (world, actors, messages) => {
    lay(world, actors, messages);
    put(world, messages, 'new');
  };

export const STARTS: readonly Start[] = [
  { name: 'empty', lay: () => {} },
  { name: 'delivered', lay: (world, _, messages) => put(world, messages, 'new') },
  { name: 'claimed', lay: heldByA },
  { name: 'expired', lay: expired },
  { name: 'released', lay: released },
  { name: 'acknowledged', lay: acknowledged },
  { name: 'dead', lay: dead },
  { name: 'taken over', lay: takenOver },
  { name: 'claimed too often', lay: exhausted },
  { name: 'claimed, sent again', lay: sentAgain(heldByA) },
  { name: 'expired, sent again', lay: sentAgain(expired) },
  { name: 'released, sent again', lay: sentAgain(released) },
  { name: 'acknowledged, sent again', lay: sentAgain(acknowledged) },
  { name: 'dead, sent again', lay: sentAgain(dead) },
  { name: 'taken over, sent again', lay: sentAgain(takenOver) },
  { name: 'claimed too often, sent again', lay: sentAgain(exhausted) },
  {
    name: 'claimed, and a copy whose claimer died',
    lay: (world, actors, messages) => {
      heldByA(world, actors, messages);
      putClaim(world, messages, { attempt: 1, untilMs: world.clock.nowMs - 1 });
    },
  },
  {
    name: 'expired, and a copy whose claimer died',
    lay: (world, actors, messages) => {
      expired(world, actors, messages);
      putClaim(world, messages, { attempt: 1, untilMs: world.clock.nowMs - 1 });
    },
  },
  {
    name: 'acknowledged, and a copy whose claimer died too often',
    lay: (world, actors, messages) => {
      acknowledged(world, actors, messages);
      putClaim(world, messages, { attempt: actors.a.mailbox.limits.attemptsMax, untilMs: world.clock.nowMs - 1 });
    },
  },
  {
    name: 'a squatter in new',
    lay: (world, _, { first }) => world.put(`new/${first.name}`, Buffer.from('not signed'), SQUATTER),
  },
  {
    name: 'claimed, another under the same id in new',
    lay: (world, actors, messages) => {
      heldByA(world, actors, messages);
      world.put(`new/${messages.second.name}`, messages.second.bytes, 'second');
    },
  },
];
