import assert from 'node:assert/strict';
import fs from 'node:fs';
import fc from 'fast-check';
import { LeaseLost, MessageNotFound } from '../../src/errors.ts';
import { acknowledge, claimNew, reject, release, renew, takeOver, type Claim } from '../../src/mailbox/claim.ts';
import { retryDead } from '../../src/mailbox/dead.ts';
import { claimFileName, type ClaimName } from '../../src/message/layout.ts';
import { MailboxModel } from './mailbox-model.ts';
import { sendInSteps } from './send-in-steps.ts';
import type { Actor, World } from './world.ts';

const MESSAGES = 3;
const LEASES_MS = { a: 30_000, b: 60_000 };

const who = fc.constantFrom('a' as const, 'b' as const);
const message = fc.nat({ max: MESSAGES - 1 });
const which = fc.nat({ max: 5 });
export const acts = fc.oneof(
  fc.record({
    verb: fc.constantFrom('send' as const, 'send late' as const, 'retry' as const, 'claim and die' as const),
    message,
  }),
  fc.record({ verb: fc.constant('claim' as const), who, message }),
  fc.record({ verb: fc.constant('take over' as const), who, which }),
  fc.record({
    verb: fc.constantFrom('acknowledge' as const, 'release' as const, 'renew' as const, 'reject' as const),
    who,
    which,
  }),
  fc.record({ verb: fc.constant('wait' as const), ms: fc.constantFrom(1, 1_000, 31_000, 61_000) }),
);
export type Act = typeof acts extends fc.Arbitrary<infer T> ? T : never;

/** A claim as its holder knows it, real and in the model. */
interface Pair {
  readonly real: Claim;
  readonly model: ClaimName;
}

/** One mailbox and its model, side by side; their reports must agree. */
export class Bench {
  readonly model: MailboxModel;
  readonly actors: Readonly<Record<'a' | 'b', Actor>>;
  /** The claims each actor believes it holds; a lost lease stays here until it is noticed. */
  readonly held: Readonly<Record<'a' | 'b', Pair[]>> = { a: [], b: [] };
  lost = 0;

  readonly #world: World;

  constructor(world: World) {
    world.clear();
    this.#world = world;
    this.actors = { a: world.actor('a', LEASES_MS.a), b: world.actor('b', LEASES_MS.b) };
    this.model = new MailboxModel({ attemptsMax: this.actors.a.mailbox.limits.attemptsMax });
  }

  /** The disk, in the words of the model. */
  onDisk(): string[] {
    return this.#world
      .listDisk(() => '')
      .map((line) => line.trim().replace(/^done\/[^/]+\//, 'done/'))
      .sort();
  }

  act(act: Act): void {
    if (act.verb === 'wait') this.#world.clock.nowMs += act.ms;
    else if ('message' in act) this.#actOnMessage(act);
    else if (act.verb === 'take over') this.#takeOver(act.who, act.which);
    else this.#end(act.verb, act.who, act.which);
  }

  #actOnMessage(act: Extract<Act, { message: number }>): void {
    const sealed = this.#world.several[act.message] ?? this.#world.messages.first;
    const { name } = sealed;
    const { a } = this.actors;
    if (act.verb === 'send') {
      assert.equal(sendInSteps(a, sealed), 'delivered');
      this.model.send(name, { looksBefore: true });
    } else if (act.verb === 'send late') {
      if (!fs.existsSync(`${this.#world.layout.new}/${name}`)) this.#world.put(`new/${name}`, sealed.bytes, name);
      this.model.send(name, { looksBefore: false });
    } else if (act.verb === 'retry') {
      assert.equal(
        found(() => retryDead(a.mailbox, name)),
        this.model.retryDead(name),
      );
    } else if (act.verb === 'claim and die') {
      const untilMs = this.#world.clock.nowMs + 1;
      const claimed = this.model.claim(name, { untilMs, dies: true });
      assert.equal(claimed, undefined);
      const target = this.model
        .list()
        .find((file) => file.startsWith(`cur/${name},1,`) && !fs.existsSync(`${this.#world.layout.directory}/${file}`));
      if (target) fs.renameSync(`${this.#world.layout.new}/${name}`, `${this.#world.layout.directory}/${target}`);
    } else if (act.verb === 'claim') {
      const leaseMs = LEASES_MS[act.who];
      const real = claimNew(this.actors[act.who].mailbox, { name, leaseMs });
      this.#hold(act.who, real, this.model.claim(name, { untilMs: this.#world.clock.nowMs + leaseMs, dies: false }));
    }
  }

  #takeOver(actor: 'a' | 'b', index: number): void {
    const open = this.model.openAt(this.#world.clock.nowMs);
    const claim = open[index % Math.max(open.length, 1)];
    if (!claim) return;
    const leaseMs = LEASES_MS[actor];
    const real = takeOver(this.actors[actor].mailbox, { claim, leaseMs });
    this.#hold(actor, real, this.model.takeOver(claim, { untilMs: this.#world.clock.nowMs + leaseMs }));
  }

  #end(verb: 'acknowledge' | 'release' | 'renew' | 'reject', actor: 'a' | 'b', index: number): void {
    const held = this.held[actor];
    const [pair] = held.splice(index % Math.max(held.length, 1), 1);
    if (!pair) return;
    const { real, model } = pair;
    const { mailbox } = this.actors[actor];
    const leaseMs = LEASES_MS[actor];
    if (verb === 'renew') {
      const renewed = attempt(() => renew(mailbox, { claim: real, leaseMs }));
      this.#hold(actor, renewed, this.model.renew(model, { untilMs: this.#world.clock.nowMs + leaseMs }));
      return;
    }
    const ends = {
      acknowledge: () => acknowledge(mailbox, real),
      release: () => release(mailbox, real),
      reject: () => reject(mailbox, { claim: real, detail: 'the test says so' }),
    };
    const isDone = attempt(() => (ends[verb](), true)) ?? false;
    assert.equal(isDone, this.model[verb](model), `${verb} by ${actor}`);
    if (!isDone) this.lost += 1;
  }

  #hold(actor: 'a' | 'b', real: Claim | undefined, model: ClaimName | undefined): void {
    assert.equal(real && claimFileName(real), model && claimFileName(model));
    if (real && model) this.held[actor].push({ real, model });
  }
}

/** Undefined if the lease was lost. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof LeaseLost) return undefined;
    throw error;
  }
}

function found(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof MessageNotFound) return false;
    throw error;
  }
}
