import { join } from 'node:path';
import { ChainFile } from '../chain/chain-file.ts';
import { ChainRemoved } from '../chain/segment.ts';
import { ChainDamaged, RateLimitExceeded, WaitTimeout } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { formatTime } from '../message/format-time.ts';
import { type Grant, GrantHistory, type RateBody } from './grants.ts';

export const COUNTER_NAMING = { prefix: 'rate.', suffix: '' };
const SEGMENTS_KEPT = 2;
const GRANT_TRIES_MAX = 64;
/** After this many lost races in a row, a process waits a little before the next. */
const LOSSES_BEFORE_WAIT = 4;

/** The largest rate limit that a room can set. */
export const RATE_LIMIT_MAX = 100_000;

export interface RateCounterOptions extends RateLimit {
  readonly host: Host;
  /** The sender's own directory. */
  readonly directory: string;
  /** The sender's address, for error messages. */
  readonly sender: string;
  /**
   * Size at which a generation ends; several times what it carries over, which is about 60 bytes for each of `limit`.
   */
  readonly segmentBytesMax: number;
  readonly lockWaitMsMax: number;
  /** A grant obtained later than this after the look it was based on is given up for a new one. */
  readonly grantUseMsMax: number;
}

/** Which message to send: one whose id is made for the time of the grant, or one that already has an id. */
export type GrantRequest = { readonly idAt: (timeMs: number) => string } | { readonly id: string };

/** `isRepeated`: this message was granted before, at that time, and is not charged again. */
export type GrantResult = Grant & { readonly isRepeated: boolean };

/**
 * Counts the messages of one sender across all its processes, in a chain file `rate.<generation>` of its directory. A
 * grant is valid once its record counts: then it is in every later window, whoever looks. At most `limit` grants are in
 * any window of `windowMs`, even with kills and stops, because a record only counts if its writer knew all grants
 * before it. The limit applies to the time of the grant: a process stopped between a grant and its use cannot be
 * limited.
 *
 * The lock only keeps processes from all trying at once. It is taken after a lost race and to end a generation.
 */
export class RateCounter {
  readonly #options: RateCounterOptions;
  #open: { readonly chain: ChainFile; readonly history: GrantHistory } | undefined;

  /** Opens nothing yet. Throws RangeError for invalid limits. */
  constructor(options: RateCounterOptions) {
    const { limit, windowMs } = options;
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > RATE_LIMIT_MAX) {
      throw new RangeError(`the rate limit is ${limit}, expected a whole number from 1 to ${RATE_LIMIT_MAX}`);
    }
    if (!Number.isSafeInteger(windowMs) || windowMs < 1) {
      throw new RangeError(`the window of the rate limit is ${windowMs} ms, expected a whole number from 1`);
    }
    this.#options = options;
  }

  /**
   * Grants one message now. Throws RateLimitExceeded with the time to retry; ChainDamaged; WaitTimeout if others were
   * first every time; errors of the file system, after which the message may have been charged.
   */
  async grant(request: GrantRequest): Promise<GrantResult> {
    const decided = await this.#tryGrant(request);
    if ('timeMs' in decided) return decided;
    throw this.#refusal(decided.retryAt);
  }

  /** The same, but waits for a grant instead of refusing; throws the signal's reason when it aborts. */
  async pace(request: GrantRequest, { signal }: { readonly signal?: AbortSignal } = {}): Promise<GrantResult> {
    const { clock } = this.#options.host;
    // Ends with a grant or the signal: a message that waits here was accepted and must go out, however long that takes.
    for (;;) {
      signal?.throwIfAborted();
      const decided = await this.#tryGrant(request);
      if ('timeMs' in decided) return decided;
      const waitMs = Math.min(Math.max(decided.retryAt - clock.now(), 1), this.#options.windowMs + 1);
      await clock.sleep(waitMs, signal);
    }
  }

  /** Reads what was counted, as the next grant would. Throws ChainDamaged and errors of the file system. */
  readThrough(): void {
    this.#opened().chain.readOn();
  }

  /** Closes the file; the next grant opens it again. */
  close(): void {
    const opened = this.#open;
    this.#open = undefined;
    opened?.chain.close();
  }

  async #tryGrant(request: GrantRequest): Promise<GrantResult | { readonly retryAt: number }> {
    try {
      return await this.#race(request);
    } catch (error) {
      // Somebody will repair the file or remove it; a counter that stays in use has to notice.
      if (error instanceof ChainDamaged) this.close();
      throw error;
    }
  }

  async #race(request: GrantRequest): Promise<GrantResult | { readonly retryAt: number }> {
    const { host, directory, lockWaitMsMax, grantUseMsMax } = this.#options;
    let release: (() => Promise<void>) | undefined;
    let losses = 0;
    let gaveUp = false;
    let looksFirst = false;
    try {
      for (let tries = 0; tries < GRANT_TRIES_MAX; tries++) {
        if (!release && (losses > 0 || this.#isTurning())) {
          release = await host.lock.smooth(join(directory, 'rate'), { waitMsMax: lockWaitMsMax });
        }
        if (losses > LOSSES_BEFORE_WAIT) await host.clock.sleep((host.randomBytes(1)[0] ?? 0) % losses);
        // From here to the record nothing is awaited, so within this process nothing comes between.
        const { chain, history } = this.#opened();
        if (release || looksFirst) chain.readOn();
        // The clock is read after the grants of others, so that on a sane clock it is never behind them.
        const nowMs = host.clock.now();
        const charged = 'id' in request && !gaveUp ? history.find(request.id) : undefined;
        if (charged) return { ...charged, isRepeated: true };
        const decision = decideGrant(history, nowMs, this.#options);
        if ('retryAt' in decision) {
          if (chain.isRemoved()) this.close();
          else if (looksFirst) return decision;
          // A grant needs no look, because it does not count if it was decided on too little; a refusal does need one.
          looksFirst = true;
          continue;
        }
        if ('clockBackToMs' in decision) {
          await this.#append(chain, { clockBackTo: decision.clockBackToMs });
          continue;
        }
        const timeMs = decision.grantAtMs;
        const id = 'id' in request ? request.id : request.idAt(timeMs);
        if (!(await this.#append(chain, { at: timeMs, id }))) {
          losses += 1;
          continue;
        }
        await release?.();
        release = undefined;
        // The last step, so that the use comes next.
        if (host.clock.now() - nowMs <= grantUseMsMax) return { id, timeMs, isRepeated: false };
        gaveUp = true;
      }
    } finally {
      await release?.();
    }
    throw new WaitTimeout(
      `${this.#options.sender} got no grant from its rate counter in ${directory}: ` +
        `of ${GRANT_TRIES_MAX} attempts, ${losses} were lost to other processes, and the rest took longer than ${grantUseMsMax} ms`,
      { hint: 'Nothing was sent. Try again when fewer processes send for this address at once.' },
    );
  }

  /** Whether the record counts. If somebody removed the file, the next try begins a new one. */
  async #append(chain: ChainFile, body: RateBody): Promise<boolean> {
    try {
      return (await chain.append(body)).won;
    } catch (error) {
      if (!(error instanceof ChainRemoved)) throw error;
      this.close();
      return false;
    }
  }

  /** Whether the next grant has to end or begin a generation, even after reading what others did. */
  #isTurning(): boolean {
    const { chain } = this.#opened();
    if (!chain.isTurning) return false;
    chain.readOn();
    return chain.isTurning;
  }

  #opened(): { readonly chain: ChainFile; readonly history: GrantHistory } {
    return (this.#open ??= this.#openChain());
  }

  #openChain(): { readonly chain: ChainFile; readonly history: GrantHistory } {
    const { host, directory, limit, windowMs } = this.#options;
    const history = new GrantHistory({ limit, windowMs, where: directory });
    const chain = new ChainFile({
      host,
      directory,
      naming: COUNTER_NAMING,
      segmentBytesMax: this.#options.segmentBytesMax,
      segmentsKept: SEGMENTS_KEPT,
      durable: false,
      onRecord: (record) => history.apply(record),
      carry: () => history.carry(),
    });
    return { chain, history };
  }

  #refusal(retryAt: number): RateLimitExceeded {
    const { sender, limit, windowMs, host } = this.#options;
    const waitS = Math.ceil((retryAt - host.clock.now()) / 1000);
    return new RateLimitExceeded(
      `${sender} has sent ${limit} messages within ${windowMs / 1000} s, which is its limit; ` +
        `the next can be sent in ${Math.max(waitS, 0)} s, at ${formatTime(Math.ceil(retryAt / 1000) * 1000)}`,
      { retryAt, hint: 'Wait until then and send again, or put several things into one message.' },
    );
  }
}

export interface RateLimit {
  /** Messages that may be granted within any window. */
  readonly limit: number;
  readonly windowMs: number;
}

export type RateDecision =
  | { readonly grantAtMs: number }
  /** Not now; `retryAt` (ms since the epoch) is when one more is allowed, unless another process takes it. */
  | { readonly retryAt: number }
  /** The clock was set back: record that first, then decide again. */
  | { readonly clockBackToMs: number };

/** Steps back of the clock up to this are waited out, so that the times of a sender's messages keep rising. */
const CLOCK_BACK_MS_MAX = 1_000;

/**
 * Whether one more message may go at `nowMs`: yes if the grant `limit` before it is older than the window, both
 * measured at the time of the grant, which is never before that of the last one.
 *
 * On one machine the last grant is later than now only if the clock was set back or had been wrong. By how much is
 * unknown, so no grant may be considered older than it looks, and none can be later than now: those that look later
 * count as of now. So nothing is freed early, and nobody is locked out for longer than one window, however far ahead
 * the clock had been. (A clock set forward makes grants look older; nothing in a file distinguishes that from time
 * passing.)
 */
export function decideGrant(history: GrantHistory, nowMs: number, { limit, windowMs }: RateLimit): RateDecision {
  const { lastMs } = history;
  if (lastMs > nowMs + CLOCK_BACK_MS_MAX) return { clockBackToMs: nowMs };
  const grantAtMs = Math.max(nowMs, lastMs);
  const blocking = history.before(limit);
  if (blocking === undefined || blocking.timeMs < grantAtMs - windowMs) return { grantAtMs };
  return lastMs > nowMs ? { clockBackToMs: nowMs } : { retryAt: blocking.timeMs + windowMs + 1 };
}
