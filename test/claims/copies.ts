import { posix } from 'node:path';
import { parseClaimFileName, type ClaimName } from '../../src/message/layout.ts';

/** One file that carries a message, wherever it is renamed. */
export interface Copy {
  readonly n: number;
  /** The signed bytes it holds; two copies of one message have the same. */
  readonly content: string;
}

/** Unsigned bytes under the name of a message. */
export const SQUATTER = 'squatter';

type Place = 'new' | 'cur' | 'done' | 'dead' | 'refused' | 'elsewhere';

/**
 * The files of one mailbox, tracked by the calls that changed it, and every rule those calls broke. The rules are checked
 * at each change, so no state between two calls of one verb goes unchecked:
 *
 * - a delivered message has a copy in `new`, `cur`, `done` or `dead` at every instant;
 * - only its holder renews, releases, acknowledges, gives up or drops a claim;
 * - a claim is taken over only when its lease has ended;
 * - no verified message is ever refused, except a second message under the same id.
 */
export class Copies {
  readonly faults: string[] = [];
  /** Renames onto another claim of exactly the same name: possible only within one ms. */
  overwritten = 0;
  readonly #at = new Map<string, Copy>();
  readonly #holders = new Map<Copy, string>();
  readonly #delivered = new Set<string>();
  readonly #madeOf = new Map<string, number>();
  /** Everything that was acknowledged or given up at some time. */
  readonly #ended = new Set<string>();
  readonly #directory: string;
  readonly #now: () => number;
  readonly #attemptsMax: number;
  #made = 0;

  constructor(options: { directory: string; now: () => number; attemptsMax: number }) {
    this.#directory = options.directory;
    this.#now = options.now;
    this.#attemptsMax = options.attemptsMax;
  }

  clear(): void {
    this.faults.length = 0;
    this.overwritten = 0;
    this.#at.clear();
    this.#holders.clear();
    this.#delivered.clear();
    this.#madeOf.clear();
    this.#ended.clear();
  }

  /** Paths below the mailbox with their content, sorted; files that were never delivered are left out. */
  list(): string[] {
    return [...this.#at].map(([path, { content }]) => `${path} ${content}`).sort();
  }

  copyAt(path: string): Copy | undefined {
    return this.#at.get(posix.relative(this.#directory, path));
  }

  holderOf(copy: Copy): string | undefined {
    return this.#holders.get(copy);
  }

  /** How many copies of this content were ever delivered. */
  madeOf(content: string): number {
    return this.#madeOf.get(content) ?? 0;
  }

  created(path: string, content: string): void {
    const at = posix.relative(this.#directory, path);
    this.#at.set(at, { n: ++this.#made, content });
    this.#madeOf.set(content, this.madeOf(content) + 1);
    if (content !== SQUATTER) this.#delivered.add(content);
    this.#checkKept(`${content} was put at ${at}`);
  }

  removed(path: string, by: string): void {
    const at = posix.relative(this.#directory, path);
    const copy = this.#at.get(at);
    if (!copy) return;
    this.#at.delete(at);
    const claim = claimAt(at);
    if (!claim) this.#fault(`${by} removed ${at}`);
    else if (!this.#mayEnd(copy, claim, by)) this.#fault(`${by} dropped ${at}, which ${this.#holders.get(copy)} holds`);
    this.#checkKept(`${by} dropped ${at}`);
  }

  renamed({ from, to, by }: { from: string; to: string; by: string }): void {
    const [source, target] = [posix.relative(this.#directory, from), posix.relative(this.#directory, to)];
    const copy = this.#at.get(source);
    if (!copy) return;
    this.#checkRename({ copy, source, target, by });
    const replaced = this.#at.get(target);
    if (replaced && placeOf(target) === 'cur') {
      this.overwritten += 1;
      if (replaced.content !== copy.content) this.#fault(`${by} overwrote ${target}, another message`);
    }
    this.#at.delete(source);
    this.#at.set(target, copy);
    const claim = claimAt(target);
    if (claim && claim.attempt > 0 && claim.untilMs > 0) this.#holders.set(copy, by);
    else this.#holders.delete(copy);
    this.#checkKept(`${by} renamed ${source} to ${target}`);
  }

  #checkRename({ copy, source, target, by }: { copy: Copy; source: string; target: string; by: string }): void {
    const before = claimAt(source);
    const after = claimAt(target);
    const holder = this.#holders.get(copy);
    if (placeOf(target) === 'new') this.#fault(`${by} renamed ${source} back into new`);
    if (placeOf(target) === 'refused' && placeOf(source) !== 'cur' && copy.content !== SQUATTER) {
      this.#fault(`${by} put ${copy.content} among the refused, straight from ${source}`);
    }
    if (before && after && after.attempt > before.attempt) {
      if (before.untilMs > this.#now()) this.#fault(`${by} took over ${source}, whose lease has not ended`);
    } else if (before && !this.#mayEnd(copy, before, by)) {
      this.#fault(`${by} renamed ${source} to ${target}, which ${holder ?? 'nobody'} holds`);
    }
  }

  /**
   * Its holder may end a claim; a squatter, or one that was claimed too often, may be ended by anyone to whom it is
   * open.
   */
  #mayEnd(copy: Copy, claim: ClaimName, by: string): boolean {
    if (this.#holders.get(copy) === by) return true;
    const isOpen = claim.untilMs <= this.#now();
    return isOpen && (copy.content === SQUATTER || claim.attempt >= this.#attemptsMax);
  }

  #checkKept(what: string): void {
    const kept = new Set<string>();
    // Of two messages under one id, one is refused as soon as someone sees both, and kept with the reason. If both had
    // been handed out before either was seen beside the other, they end under one name.
    const areTwo = this.#delivered.size > 1;
    for (const [path, { content }] of this.#at) {
      const place = placeOf(path);
      if (place === 'done' || place === 'dead') this.#ended.add(content);
      if (place !== 'refused' || areTwo) kept.add(content);
    }
    if (areTwo) for (const content of this.#ended) kept.add(content);
    for (const content of this.#delivered) if (!kept.has(content)) this.#fault(`${content} is lost: ${what}`);
  }

  #fault(text: string): void {
    this.faults.push(text);
  }
}

function placeOf(path: string): Place {
  const [first = '', second] = path.split('/');
  if (first === 'dead' && second === 'refused') return 'refused';
  const isPlace = first === 'new' || first === 'cur' || first === 'done' || first === 'dead';
  return isPlace ? first : 'elsewhere';
}

function claimAt(path: string): ClaimName | undefined {
  return placeOf(path) === 'cur' ? parseClaimFileName(path.slice('cur/'.length)) : undefined;
}
