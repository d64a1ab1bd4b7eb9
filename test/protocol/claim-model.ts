/** One claim on the message: its attempt and when it ends, in steps instead of ms; 0 if it was released. */
type ClaimOf = readonly [attempt: number, until: number];

interface Reader {
  readonly at: 'idle' | 'look' | 'drop' | 'hold';
  readonly own: ClaimOf;
  readonly isNew: boolean;
  /** Taken from `new`, or taken over from attempt 0. */
  readonly isUnjudged: boolean;
}

/** Progress of the purge of the message's day: the day is recorded, the files are removed. */
type Purge = 'none' | 'marked' | 'removed';

/** Everything about one message that its sender links several times, and its readers. */
interface State {
  readonly linksLeft: number;
  /** Copies in `dead/refused`, and those of them whose retry has found their day not purged. */
  readonly letters: number;
  readonly retrying: number;
  readonly isInNew: boolean;
  readonly claims: readonly ClaimOf[];
  readonly isDone: boolean;
  readonly wasAcknowledged: boolean;
  /** A copy was refused because its day is purged; it is kept. */
  readonly isRefused: boolean;
  readonly purge: Purge;
  readonly readers: readonly Reader[];
}

/** Rules of docs/protocol.md that can be turned off, to see what they are for. */
export interface Rules {
  /** A rename to a claim name uses a free one. */
  readonly namesAreFree: boolean;
  /** A message that was taken over does not yield to other claims. */
  readonly takenOverYieldsToNone: boolean;
  /** A release renames within `cur`, and never back into `new`. */
  readonly releaseStaysInCur: boolean;
  /** A take-over from attempt 0 checks whether the day was purged, as a claim from `new` does. */
  readonly attemptZeroIsNew: boolean;
  /**
   * A message kept in part, or put back, counts as claimed once, so that no take-over of it has the name of a first
   * claim.
   */
  readonly inPartCountsOnce: boolean;
}

export const ALL_RULES: Rules = {
  namesAreFree: true,
  takenOverYieldsToNone: true,
  releaseStaysInCur: true,
  attemptZeroIsNew: true,
  inPartCountsOnce: true,
};

export interface Size {
  /** How often the sender links the message: it does not know whether earlier attempts arrived. */
  readonly links: number;
  readonly readers: number;
  readonly untilMax: number;
  readonly attemptMax: number;
  /** Copies that were refused for a reason that has passed, each to be retried; and whether the day may be purged. */
  readonly letters: number;
  readonly purges: boolean;
}

export interface Explored {
  readonly states: number;
  /** The steps after which the message is nowhere and was never acknowledged; undefined if there are none. */
  readonly loss: readonly string[] | undefined;
  /** The steps after which the message is handed out although it was acknowledged and purged. */
  readonly replay: readonly string[] | undefined;
}

const IDLE: Reader = { at: 'idle', own: [0, 0], isNew: false, isUnjudged: false };
const show = (claim: ClaimOf): string => claim.join(',');
const same = (a: ClaimOf, b: ClaimOf): boolean => a[0] === b[0] && a[1] === b[1];
const without = (claims: readonly ClaimOf[], one: ClaimOf): ClaimOf[] => claims.filter((claim) => !same(claim, one));

/** Every state that any interleaving of the sender and any readers leads to, where any lease can end at any time. */
export function explore(rules: Rules, size: Size): Explored {
  const start: State = {
    linksLeft: size.links,
    letters: size.letters,
    retrying: 0,
    isInNew: false,
    claims: [],
    isDone: false,
    wasAcknowledged: false,
    isRefused: false,
    purge: 'none',
    readers: Array.from({ length: size.readers }, () => IDLE),
  };
  const cameFrom = new Map<string, { readonly before: string; readonly step: string }>();
  const seen = new Set([keyOf(start)]);
  const waiting = [start];
  // The queue grows while it is worked through, nearest states first, so that a loss is found by the shortest steps.
  for (const state of waiting) {
    for (const { step, next, isReplay } of stepsFrom(state, rules, size)) {
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      cameFrom.set(key, { before: keyOf(state), step });
      if (isLost(next, size)) return { states: seen.size, loss: wayTo(key, cameFrom), replay: undefined };
      if (isReplay) return { states: seen.size, loss: undefined, replay: wayTo(key, cameFrom) };
      waiting.push(next);
    }
  }
  return { states: seen.size, loss: undefined, replay: undefined };
}

function isLost(state: State, { links, letters }: Size): boolean {
  const isThere = state.isInNew || state.claims.length > 0 || state.letters + state.retrying > 0;
  const isDealtWith = state.isDone || state.wasAcknowledged || state.isRefused;
  return (state.linksLeft < links || letters > 0) && !isThere && !isDealtWith;
}

interface Step {
  readonly step: string;
  readonly next: State;
  readonly isReplay?: boolean;
}

function stepsFrom(state: State, rules: Rules, size: Size): Step[] {
  const steps = [...senderSteps(state), ...retrySteps(state), ...(size.purges ? purgeSteps(state) : [])];
  for (const [index, reader] of state.readers.entries()) {
    const become: Become = (step, after, change = {}, isReplay = false) => {
      const readers = state.readers.with(index, after).toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
      steps.push({ step, next: { ...state, ...change, readers }, isReplay });
    };
    if (reader.at === 'idle') claimSteps(state, { rules, size, become });
    else if (reader.at === 'look') lookSteps(state, reader, { rules, become });
    else if (reader.at === 'drop')
      become(`drop ${show(reader.own)}`, IDLE, { claims: without(state.claims, reader.own) });
    else holdSteps(state, reader, { rules, size, become });
  }
  return steps;
}

type Become = (step: string, after: Reader, change?: Partial<State>, isReplay?: boolean) => void;

/** A retry is refused once the day is recorded. */
function senderSteps(state: State): Step[] {
  const { linksLeft, isInNew, purge } = state;
  if (linksLeft === 0 || isInNew || purge === 'marked' || purge === 'removed') return [];
  return [{ step: 'link', next: { ...state, isInNew: true, linksLeft: linksLeft - 1 } }];
}

/** `dead retry` checks the purged days, and then puts the refused copy back. */
function retrySteps(state: State): Step[] {
  const { letters, retrying, purge, claims } = state;
  const steps: Step[] = [];
  if (letters > 0 && purge !== 'marked' && purge !== 'removed') {
    steps.push({ step: 'look before a retry', next: { ...state, letters: letters - 1, retrying: retrying + 1 } });
  }
  if (retrying > 0) {
    steps.push({ step: 'put back', next: { ...state, retrying: retrying - 1, claims: withReleased(claims, 0) } });
  }
  return steps;
}

/**
 * A day with mail in `new` or `cur` is not purged. It is recorded within ms of that look, here at once. It ended long
 * ago, so no claim made from then on has the name of one that somebody lost before.
 */
function purgeSteps(state: State): Step[] {
  const { purge, isInNew, claims } = state;
  if (purge === 'none' && !isInNew && claims.length === 0) {
    const readers = state.readers.map(() => IDLE);
    return [{ step: 'write the purged day down', next: { ...state, purge: 'marked', readers } }];
  }
  return purge === 'marked' ? [{ step: 'purge', next: { ...state, purge: 'removed', isDone: false } }] : [];
}

function claimSteps(state: State, { rules, size, become }: { rules: Rules; size: Size; become: Become }): void {
  if (state.isInNew) {
    for (const own of names(state, { rules, size, attempt: 1 })) {
      become(
        `claim ${show(own)}`,
        { at: 'look', own, isNew: true, isUnjudged: true },
        { isInNew: false, claims: withClaim(state.claims, own) },
      );
    }
  }
  for (const claim of state.claims) {
    if (claim[0] >= size.attemptMax) continue;
    // A claim is read, and dropped, within a ms: it is taken over before that only if its reader was killed in that ms.
    const isLookedAt = state.readers.some(({ at, own }) => (at === 'look' || at === 'drop') && same(own, claim));
    if (size.purges && isLookedAt) continue;
    const isInPart = claim[0] === 0 && claim[1] > 0 && rules.inPartCountsOnce;
    for (const own of names(state, { rules, size, attempt: isInPart ? 2 : claim[0] + 1 })) {
      const claims = withClaim(without(state.claims, claim), own);
      become(
        `take over ${show(claim)} as ${show(own)}`,
        { at: 'look', own, isNew: false, isUnjudged: claim[0] === 0 },
        { claims },
      );
    }
  }
}

function lookSteps(state: State, reader: Reader, { rules, become }: { rules: Rules; become: Become }): void {
  const { own, isNew, isUnjudged } = reader;
  const others = without(state.claims, own);
  const yieldsTo = (other: ClaimOf): boolean =>
    isNew ? other[0] !== 1 || other[1] < own[1] : !rules.takenOverYieldsToNone && isSmaller(other, own);
  const isDuplicate = state.isDone || others.some(yieldsTo);
  const isPurged = state.purge === 'marked' || state.purge === 'removed';
  if (isDuplicate) become(`${show(own)} is a duplicate`, { ...reader, at: 'drop' });
  else if (isPurged && (isNew || (isUnjudged && rules.attemptZeroIsNew))) {
    become(`${show(own)} is refused as purged`, IDLE, { claims: others, isRefused: true });
  } else {
    const isReplay = isPurged && state.wasAcknowledged;
    become(`${show(own)} is mine`, { ...reader, at: 'hold' }, {}, isReplay);
  }
  if (!state.claims.some((claim) => same(claim, own))) return;
  const back = isUnjudged && own[0] === 2 ? withReleased(others, 0, 1) : withReleased(others, own[0] - 1);
  become(`give ${show(own)} back`, IDLE, { claims: back });
}

function holdSteps(
  state: State,
  reader: Reader,
  { rules, size, become }: { rules: Rules; size: Size; become: Become },
): void {
  const { own } = reader;
  if (!state.claims.some((claim) => same(claim, own))) {
    become(`lose ${show(own)}`, IDLE);
    return;
  }
  const others = without(state.claims, own);
  const atLeastFirst = (attempt: number): number => Math.max(rules.inPartCountsOnce ? 1 : 0, attempt);
  become(`acknowledge ${show(own)}`, IDLE, { claims: others, isDone: true, wasAcknowledged: true });
  if (rules.releaseStaysInCur)
    become(`release ${show(own)}`, IDLE, { claims: withReleased(others, atLeastFirst(own[0])) });
  else become(`release ${show(own)}`, IDLE, { claims: others, isInNew: true });
  become(`put ${show(own)} back`, IDLE, { claims: withReleased(others, atLeastFirst(own[0] - 1)) });
  for (const kept of names(state, { rules, size, attempt: 0 })) {
    become(`keep ${show(own)} in part as ${show(kept)}`, IDLE, { claims: withClaim(others, kept) });
  }
  for (const renewed of names(state, { rules, size, attempt: own[0] })) {
    if (renewed[1] <= own[1]) continue;
    become(
      `renew ${show(own)} as ${show(renewed)}`,
      { ...reader, own: renewed },
      { claims: withClaim(others, renewed) },
    );
  }
}

function names(
  state: State,
  { rules, size, attempt }: { rules: Rules; size: Size; attempt: number },
): readonly ClaimOf[] {
  const all = Array.from({ length: size.untilMax }, (_, index): ClaimOf => [attempt, index + 1]);
  return all.filter((one) => !rules.namesAreFree || !state.claims.some((claim) => same(claim, one)));
}

/** A rename replaces an existing file of that name. */
function withClaim(claims: readonly ClaimOf[], claim: ClaimOf): readonly ClaimOf[] {
  return [...without(claims, claim), claim].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function withReleased(claims: readonly ClaimOf[], attempt: number, from = 0): readonly ClaimOf[] {
  let until = from;
  while (claims.some((claim) => same(claim, [attempt, until]))) until += 1;
  return withClaim(claims, [attempt, until]);
}

function isSmaller(a: ClaimOf, b: ClaimOf): boolean {
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}

function textOf({ at, own, isNew, isUnjudged }: Reader): string {
  return `${at} ${show(own)} ${String(isNew)} ${String(isUnjudged)}`;
}

function keyOf({ readers, claims, ...rest }: State): string {
  return [...Object.values(rest), claims.map(show).join(' '), ...readers.map(textOf)].join('|');
}

function wayTo(
  key: string,
  cameFrom: ReadonlyMap<string, { readonly before: string; readonly step: string }>,
): string[] {
  const way: string[] = [];
  for (let at = cameFrom.get(key); at; at = cameFrom.get(at.before)) way.push(at.step);
  return way.reverse();
}
