import { claimFileName, type ClaimName } from '../../src/message/layout.ts';

type Held = ClaimName | undefined;

/**
 * A mailbox as a set of names, and the effect of each verb when nothing runs in between. It knows nothing of files: a
 * message is its name, and a copy is where that name is.
 */
export class MailboxModel {
  readonly #arrived = new Set<string>();
  readonly #claims = new Map<string, ClaimName>();
  readonly #done = new Set<string>();
  readonly #dead = new Set<string>();
  readonly #attemptsMax: number;

  constructor({ attemptsMax }: { attemptsMax: number }) {
    this.#attemptsMax = attemptsMax;
  }

  /** Paths as on disk, without the day under `done`; sorted. */
  list(): string[] {
    return [
      ...[...this.#arrived].map((name) => `new/${name}`),
      ...[...this.#claims.keys()].map((file) => `cur/${file}`),
      ...[...this.#done].map((name) => `done/${name}`),
      ...[...this.#dead].map((name) => `dead/${name}`),
    ].sort();
  }

  /** Claims that anyone may take over. */
  openAt(nowMs: number): ClaimName[] {
    return [...this.#claims.values()].filter(({ untilMs }) => untilMs <= nowMs);
  }

  /** A send with a given id; one that `looksBefore` finds copies that were claimed, acknowledged or given up. */
  send(name: string, { looksBefore }: { looksBefore: boolean }): void {
    const isKnown = this.#done.has(name) || this.#dead.has(name) || this.#claimsOf(name).length > 0;
    if (!(looksBefore && isKnown)) this.#arrived.add(name);
  }

  /** Claims a message in `new`; with `dies`, by a process that gets no further than the rename. */
  claim(name: string, { untilMs, dies }: { untilMs: number; dies: boolean }): Held {
    if (!this.#arrived.delete(name)) return undefined;
    const others = this.#claimsOf(name);
    const own = this.#put({ name, attempt: 1, untilMs });
    if (dies) return undefined;
    const yields = others.some((other) => other.attempt !== 1 || other.untilMs < own.untilMs);
    return this.#settled(own, { isDropped: yields });
  }

  takeOver(claim: ClaimName, { untilMs }: { untilMs: number }): Held {
    if (!this.#claims.delete(claimFileName(claim))) return undefined;
    const own = this.#put({ name: claim.name, attempt: claim.attempt + 1, untilMs });
    const held = this.#settled(own, { isDropped: false });
    if (!held || held.attempt <= this.#attemptsMax) return held;
    this.#claims.delete(claimFileName(own));
    this.#dead.add(own.name);
    return undefined;
  }

  /** Each of these is false if the claim is no longer there: the lease is lost. */
  acknowledge(claim: ClaimName): boolean {
    return this.#end(claim, () => this.#done.add(claim.name));
  }

  reject(claim: ClaimName): boolean {
    return this.#end(claim, () => this.#dead.add(claim.name));
  }

  release(claim: ClaimName): boolean {
    return this.#end(claim, () => this.#put({ ...claim, untilMs: 0 }));
  }

  renew(claim: ClaimName, { untilMs }: { untilMs: number }): Held {
    if (!this.#claims.has(claimFileName(claim))) return undefined;
    const renewed = this.#put({ ...claim, untilMs: Math.max(untilMs, claim.untilMs + 1) });
    this.#claims.delete(claimFileName(claim));
    return renewed;
  }

  retryDead(name: string): boolean {
    if (!this.#dead.delete(name)) return false;
    this.#put({ name, attempt: 0, untilMs: 0 });
    return true;
  }

  #claimsOf(name: string): ClaimName[] {
    return [...this.#claims.values()].filter((claim) => claim.name === name);
  }

  /** Under the next free name. */
  #put({ name, attempt, untilMs }: ClaimName): ClaimName {
    const taken = this.#claims.has(claimFileName({ name, attempt, untilMs }));
    if (taken) return this.#put({ name, attempt, untilMs: untilMs + 1 });
    const claim = { name, attempt, untilMs };
    this.#claims.set(claimFileName(claim), claim);
    return claim;
  }

  #settled(own: ClaimName, { isDropped }: { isDropped: boolean }): Held {
    if (!isDropped && !this.#done.has(own.name) && !this.#dead.has(own.name)) return own;
    this.#claims.delete(claimFileName(own));
    return undefined;
  }

  #end(claim: ClaimName, end: () => void): boolean {
    if (!this.#claims.delete(claimFileName(claim))) return false;
    end();
    return true;
  }
}
