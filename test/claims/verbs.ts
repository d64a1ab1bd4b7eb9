import { LeaseLost, MessageNotFound } from '../../src/errors.ts';
import {
  acknowledge,
  claimNew,
  keepInPart,
  putBack,
  reject,
  release,
  renew,
  takeOver,
  type Claim,
} from '../../src/mailbox/claim.ts';
import { retryDead } from '../../src/mailbox/dead.ts';
import { drain, listClaimable } from '../../src/mailbox/drain.ts';
import { sweep } from '../../src/mailbox/sweep.ts';
import { sendInSteps } from './send-in-steps.ts';
import type { Actor, Messages } from './world.ts';

/** One operation of an actor; other verbs may run before any of its calls. Returns what it reported. */
export type Verb = (actor: Actor, message: Messages) => string;

const hold = (actor: Actor, claim: Claim | undefined): string => {
  if (!claim) return 'nothing';
  actor.held = claim;
  return 'held';
};

/** Ends acting on the claim, whether or not the lease was still there. */
const settle = (actor: Actor, end: (claim: Claim) => void): string => {
  const claim = actor.held;
  if (!claim) return 'holds nothing';
  actor.held = undefined;
  try {
    end(claim);
    return 'done';
  } catch (error) {
    if (error instanceof LeaseLost) return 'lease lost';
    throw error;
  }
};

const verbs = {
  send: (actor, { first }) => {
    actor.sending = 'first';
    return sendInSteps(actor, first);
  },
  'send another under the same id': (actor, { second }) => {
    actor.sending = 'second';
    return sendInSteps(actor, second);
  },
  claim: (actor, { first }) => hold(actor, claimNew(actor.mailbox, { name: first.name, leaseMs: actor.leaseMs })),
  'take over': (actor) => {
    const [open] = listClaimable(actor.mailbox).open;
    return open ? hold(actor, takeOver(actor.mailbox, { claim: open, leaseMs: actor.leaseMs })) : 'nothing';
  },
  drain: (actor) => {
    const claims = [...drain(actor.mailbox, { leaseMs: actor.leaseMs })];
    for (const claim of claims) hold(actor, claim);
    return `held ${claims.length}`;
  },
  acknowledge: (actor) => settle(actor, (claim) => acknowledge(actor.mailbox, claim)),
  release: (actor) => settle(actor, (claim) => release(actor.mailbox, claim)),
  'put back': (actor) => settle(actor, (claim) => putBack(actor.mailbox, claim)),
  'keep in part': (actor) => settle(actor, (claim) => keepInPart(actor.mailbox, claim)),
  reject: (actor) => settle(actor, (claim) => reject(actor.mailbox, { claim, detail: 'the test says so' })),
  renew: (actor) => {
    const claim = actor.held;
    return settle(actor, () => {
      if (claim) actor.held = renew(actor.mailbox, { claim, leaseMs: actor.leaseMs * 2 });
    });
  },
  'retry the dead': (actor, { first }) => {
    try {
      retryDead(actor.mailbox, first.name);
      return 'put back';
    } catch (error) {
      if (error instanceof MessageNotFound) return 'not found';
      throw error;
    }
  },
  sweep: (actor) => `swept ${sweep(actor.mailbox)}`,
} satisfies Record<string, Verb>;

export type VerbName = keyof typeof verbs;

export const VERBS: Readonly<Record<VerbName, Verb>> = verbs;
