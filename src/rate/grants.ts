import type { ChainRecord } from '../chain/record.ts';
import { ChainDamaged } from '../errors.ts';

/** A message that was allowed: its id, and the time of the grant in ms since the epoch. */
export interface Grant {
  readonly id: string;
  readonly timeMs: number;
}

/** Body of a record of the counter: a grant, or that the clock was set back and no grant is later than that. */
export type RateBody = { readonly at: number; readonly id: string } | { readonly clockBackTo: number };

/** Most grants kept, whatever the limits of other writers. */
const GRANTS_KEPT_MAX = 100_000;
const TRIM_GRANTS_MIN = 128;

export interface GrantsKept {
  readonly limit: number;
  readonly windowMs: number;
  /** The directory of the counter, for error messages. */
  readonly where: string;
}

/** The grants that still matter, folded from the records of the counter. */
export class GrantHistory {
  readonly #kept: GrantsKept;
  #grants: Grant[] = [];
  /** The same by id, built on first use. */
  #byId: Map<string, Grant> | undefined;
  #trimAt = TRIM_GRANTS_MIN;

  constructor(kept: GrantsKept) {
    this.#kept = kept;
  }

  get length(): number {
    return this.#grants.length;
  }

  /** The time of the last grant; 0 if there was none. */
  get lastMs(): number {
    return this.#grants.at(-1)?.timeMs ?? 0;
  }

  /** The grant that is `count` before the next one; undefined if there were fewer. */
  before(count: number): Grant | undefined {
    return count > this.#grants.length ? undefined : this.#grants[this.#grants.length - count];
  }

  /** The latest grant for this message. */
  find(id: string): Grant | undefined {
    this.#byId ??= new Map(this.#grants.map((grant) => [grant.id, grant]));
    return this.#byId.get(id);
  }

  /** Applies a record that counts. Throws ChainDamaged if its content is unknown. */
  apply(record: ChainRecord): void {
    if ('seal' in record) return;
    if ('carried' in record) {
      this.#replace(carriedGrants(record.carried) ?? this.#unknown(record));
      return;
    }
    const body = rateBody(record.body) ?? this.#unknown(record);
    if ('at' in body) this.#add({ id: body.id, timeMs: body.at });
    else this.#setBack(body.clockBackTo);
    if (this.#grants.length >= this.#trimAt) this.#trim();
  }

  /** The state that the next generation needs. */
  carry(): unknown {
    this.#trim();
    return { grants: this.#grants.map(({ id, timeMs }) => [timeMs, id]) };
  }

  #add(grant: Grant): void {
    this.#grants.push(grant);
    this.#byId?.set(grant.id, grant);
  }

  #setBack(toMs: number): void {
    this.#replace(this.#grants.map((grant) => (grant.timeMs > toMs ? { ...grant, timeMs: toMs } : grant)));
  }

  #replace(grants: Grant[]): void {
    this.#grants = grants;
    this.#byId = undefined;
  }

  #unknown(record: ChainRecord): never {
    throw new ChainDamaged(
      `record ${record.seq} of the rate counter in ${this.#kept.where} has content that this version does not know`,
      { hint: 'A newer version of Mailroom may have written it: use that one for every agent of the room.' },
    );
  }

  /** Grants within the window are kept even beyond the limit, for a process whose limit is higher than this one's. */
  #trim(): void {
    const { limit, windowMs } = this.#kept;
    const windowStart = this.lastMs - windowMs;
    const { length } = this.#grants;
    let from = Math.max(0, length - GRANTS_KEPT_MAX);
    while (from < length - limit && (this.#grants[from]?.timeMs ?? 0) < windowStart) from += 1;
    if (from > 0) this.#replace(this.#grants.slice(from));
    // Rarely, because it costs as much as there are grants.
    this.#trimAt = Math.max(TRIM_GRANTS_MIN, 2 * this.#grants.length);
  }
}

function rateBody(body: unknown): RateBody | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  if ('at' in body && 'id' in body && isTime(body.at) && typeof body.id === 'string') {
    return { at: body.at, id: body.id };
  }
  return 'clockBackTo' in body && isTime(body.clockBackTo) ? { clockBackTo: body.clockBackTo } : undefined;
}

function carriedGrants(carried: unknown): Grant[] | undefined {
  if (typeof carried !== 'object' || carried === null || !('grants' in carried)) return undefined;
  if (!Array.isArray(carried.grants)) return undefined;
  const grants: Grant[] = [];
  for (const entry of carried.grants as unknown[]) {
    if (!Array.isArray(entry)) return undefined;
    const [timeMs, id] = entry as unknown[];
    if (!isTime(timeMs) || typeof id !== 'string') return undefined;
    grants.push({ id, timeMs });
  }
  return grants;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
