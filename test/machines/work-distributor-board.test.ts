import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  availableOn,
  type Board,
  boardFor,
  createBoard,
  type Entry,
  entryOf,
  holderOf,
  isAllDone,
  missingFor,
  type Move,
  type Verdict,
  withNothingHeldBack,
} from '../../machines/work-distributor/board.ts';
import { LAPSES_MAX, play } from '../../machines/work-distributor/rules.ts';
import { parsePlan } from '../../machines/work-distributor/plan.ts';

const AGENTS = ['alice', 'bob', 'carol'];
const IDS = ['a', 'b', 'c', 'd'];
const PLAN = parsePlan({
  tasks: [
    { id: 'a', title: 'A', description: 'a' },
    { id: 'b', title: 'B', description: 'b' },
    { id: 'c', title: 'C', description: 'c', dependsOn: ['a'] },
    { id: 'd', title: 'D', description: 'd', dependsOn: ['b', 'c'] },
  ],
});
const RUNS = 500;

const FITTING: Readonly<Record<string, readonly string[]>> = {
  claim: ['free', 'blocked'],
  accept: ['submitted'],
  rework: ['submitted'],
};

/** As it is drawn: who and which epoch are by the board that it meets, so that most moves count and many just do not. */
interface Drawn {
  readonly kind: string;
  /** One of those that the move fits, or of all. */
  readonly pick: number;
  readonly fits: boolean;
  readonly by: string;
  /** Relative to the epoch that the task is in; null where it is not said. */
  readonly epoch: number | null;
}

const near = fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, -1, -2, 1);
const about = {
  pick: fc.nat(11),
  fits: fc.constantFrom(true, true, true, true, false),
  by: fc.constantFrom(...Array.from({ length: 9 }, () => 'holder'), ...AGENTS, 'dave'),
};
const byAgent = fc.record({
  ...about,
  kind: fc.constantFrom('claim', 'claim', 'claim', 'complete', 'complete', 'complete', 'give-back'),
  epoch: fc.option(near, { nil: null }),
});
const byOthers = fc.record({
  ...about,
  kind: fc.constantFrom(
    'assign',
    'assign',
    'accept',
    'accept',
    'rework',
    'rework',
    'suspend',
    'suspend',
    'suspend',
    'expire',
    'take-away',
  ),
  epoch: near,
});
const moves = fc.array(fc.oneof<fc.Arbitrary<Drawn>[]>(byAgent, byOthers), {
  minLength: 40,
  maxLength: 80,
  size: 'max',
});
const acceptance = fc.constantFrom<'automatic' | 'parent'>('automatic', 'parent');
const agents = fc.constantFrom(null, AGENTS, ['alice', 'bob']);

interface Turn {
  readonly move: Move;
  readonly before: Board;
  readonly verdict: Verdict;
}

/** The parts that a kind of move does not have are not looked at. */
function asMove(drawn: { kind: string; taskId: string; agent?: string; epoch?: number | null }, at: number): Move {
  const messageId = `message-${at}`;
  const result = { commit: `commit-${at % 2}`, branch: null, summary: '', messageId };
  return { feedback: 'again', reason: 'no', workspace: null, result, messageId, ...drawn } as unknown as Move;
}

function moveOn(board: Board, { kind, pick, fits, by, epoch }: Drawn, at: number): Move {
  const fitting = board.entries.filter(
    ({ status }) =>
      (FITTING[kind] ?? ['claimed']).includes(status.at) &&
      (kind !== 'suspend' || (status.at === 'claimed' && status.result !== null)),
  );
  const among = fits && fitting.length > 0 ? fitting : board.entries;
  const entry = among[pick % among.length] ?? entryIn(board, 'a');
  const agent = by === 'holder' ? (holderOf(entry)?.agent ?? 'alice') : by;
  return asMove({ kind, taskId: entry.task.id, agent, epoch: epoch === null ? null : entry.epoch + epoch }, at);
}

function playAll(board: Board, drawn: readonly Drawn[]): Turn[] {
  const turns: Turn[] = [];
  for (const [at, one] of drawn.entries()) {
    const before = turns.at(-1)?.verdict.board ?? board;
    const move = moveOn(before, one, at);
    turns.push({ move, before, verdict: play(before, move) });
  }
  return turns;
}

/** Every sequence of moves on every kind of board. */
function assertAlways(check: (turns: readonly Turn[], board: Board) => void): void {
  const counts: Record<string, number> = {};
  fc.assert(
    fc.property(acceptance, agents, moves, (by, who, drawn) => {
      const board = createBoard(PLAN.tasks, { agents: who, acceptance: by });
      const turns = playAll(board, drawn);
      for (const { verdict } of turns) counts[verdict.kind] = (counts[verdict.kind] ?? 0) + 1;
      check(turns, board);
    }),
    { numRuns: RUNS },
  );
  console.log(`moves: ${JSON.stringify(counts)}`);
  const kinds = [
    'granted',
    'held',
    'assigned',
    'submitted',
    'done',
    'known',
    'reworked',
    'suspended',
    'freed',
    'blocked',
  ];
  for (const kind of kinds) expect(counts[kind], kind).toBeGreaterThan(15);
}

/** Who holds or held what, by task and epoch. */
function holdersOn({ entries }: Board): [key: string, agent: string][] {
  return entries.flatMap((entry) => {
    const holders = [holderOf(entry), ...entry.lapses.map((one) => one.holder)].filter((one) => one !== null);
    return holders.map(({ agent: name, epoch: in_ }): [string, string] => [`${entry.task.id}@${in_}`, name]);
  });
}

function entryIn(board: Board, id: string): Entry {
  const entry = entryOf(board, id);
  if (!entry) throw new Error(`there is no ${id}`);
  return entry;
}

describe('whatever happens in whichever order', () => {
  it('no task is held by two agents in one epoch', () => {
    assertAlways((turns) => {
      const holders = new Map<string, string>();
      for (const { verdict } of turns) {
        for (const [key, name] of holdersOn(verdict.board)) {
          expect(holders.get(key) ?? name, key).toBe(name);
          holders.set(key, name);
        }
      }
    });
  });

  it('epochs only rise, and exactly when a holder loses a task', () => {
    assertAlways((turns) => {
      for (const { before, verdict } of turns) {
        for (const entry of verdict.board.entries) {
          const was = entryIn(before, entry.task.id);
          expect(entry.epoch).toBe(was.epoch + (entry.lapses.length - was.lapses.length));
          expect(entry.lapses.length).toBeGreaterThanOrEqual(was.lapses.length);
        }
      }
    });
  });

  it('no task is done twice, and what is done stays as it is', () => {
    assertAlways((turns) => {
      const done = new Map<string, Entry>();
      for (const { verdict } of turns) {
        for (const [id, entry] of done) expect(entryIn(verdict.board, id)).toBe(entry);
        if (verdict.kind !== 'done') continue;
        expect(done.has(verdict.after.task.id)).toBe(false);
        done.set(verdict.after.task.id, verdict.after);
      }
    });
  });

  it('what is about an old epoch, or from somebody else than the holder, changes nothing', () => {
    let late = 0;
    assertAlways((turns) => {
      for (const { move: one, before, verdict } of turns) {
        if (one.kind === 'claim') continue;
        const entry = entryIn(before, one.taskId);
        const isByAgent = one.kind === 'complete' || one.kind === 'give-back';
        const isOther = isByAgent && holderOf(entry)?.agent !== one.agent;
        if (!isOther && (one.epoch === null || one.epoch >= entry.epoch)) continue;
        late += 1;
        expect(verdict.kind).toBe('refused');
        expect(verdict.board).toBe(before);
      }
    });
    expect(late).toBeGreaterThan(RUNS);
  });

  it('a claim succeeds only for one who is asked, when all dependencies are done, nobody holds the task and it is not given up', () => {
    let [heldBack, givenUp] = [0, 0];
    assertAlways((turns) => {
      for (const { move: one, before, verdict } of turns) {
        if (one.kind !== 'claim') continue;
        const entry = entryIn(before, one.taskId);
        const isFree = entry.status.at === 'free' || entry.status.at === 'blocked';
        const isAsked = before.agents === null || before.agents.includes(one.agent);
        const isHeldBack = entry.status.at === 'free' && entry.heldBackFrom === one.agent;
        const isGivenUp = entry.lapses.length >= 3;
        const mayClaim = isFree && isAsked && !isHeldBack && !isGivenUp && missingFor(before, entry).length === 0;
        expect(verdict.kind === 'granted').toBe(mayClaim);
        if (isHeldBack) heldBack += 1;
        if (isFree && isGivenUp) givenUp += 1;
        const isReady = entry.task.dependsOn.every((id) => entryIn(verdict.board, id).status.at === 'done');
        expect(verdict.kind === 'granted' && !isReady).toBe(false);
      }
    });
    expect(heldBack).toBeGreaterThan(15);
    expect(givenUp).toBeGreaterThan(15);
  });

  it('no task is claimed more often than three times, and nobody is held back without somebody else who may', () => {
    assertAlways((turns, { agents: who }) => {
      const claims = new Map<string, number>();
      for (const { move: one, verdict } of turns) {
        if (verdict.kind === 'granted') claims.set(one.taskId, (claims.get(one.taskId) ?? 0) + 1);
        for (const entry of verdict.board.entries) {
          if (entry.status.at !== 'free' || !entry.heldBackFrom) continue;
          const returned = entry.lapses.filter(({ end }) => end === 'given-back').map(({ holder }) => holder.agent);
          expect(who?.some((name) => !returned.includes(name))).toBe(true);
        }
      }
      for (const [taskId, count] of claims) expect(count, taskId).toBeLessThanOrEqual(LAPSES_MAX);
    });
  });

  it('a result counts only from the holder, and a repeated one only once', () => {
    assertAlways((turns) => {
      for (const { move: one, before, verdict } of turns) {
        if (one.kind !== 'complete') continue;
        const entry = entryIn(before, one.taskId);
        const holder = holderOf(entry);
        const isHolders = holder?.agent === one.agent && (one.epoch ?? holder.epoch) === holder.epoch;
        const counts = isHolders && entry.status.at === 'claimed';
        expect(verdict.kind === 'done' || verdict.kind === 'submitted').toBe(counts);
        expect(verdict.kind === 'known' && !(isHolders && ['done', 'submitted'].includes(entry.status.at))).toBe(false);
        expect(verdict.kind === 'refused' && isHolders && entry.status.at === 'done').toBe(false);
      }
    });
  });

  it('every task that becomes available is told once, when it does', () => {
    assertAlways((turns) => {
      for (const { before, verdict } of turns) {
        const known = new Set(availableOn(before).map(({ task }) => task.id));
        const opened = availableOn(verdict.board).filter(({ task }) => !known.has(task.id));
        expect('opened' in verdict ? verdict.opened : []).toEqual(opened);
      }
    });
  });

  it('what is refused changes nothing, and names a reason', () => {
    assertAlways((turns) => {
      for (const { before, verdict } of turns) {
        if (verdict.kind !== 'refused') continue;
        expect(verdict.board).toBe(before);
        expect(verdict.refusal.why).toMatch(/\w/);
      }
    });
  });

  it('the plan can be completed once every lease is over and somebody is willing, unless a task is given up', () => {
    let completed = 0;
    assertAlways((turns, board) => {
      let now = turns.at(-1)?.verdict.board ?? board;
      for (const { task, epoch: current } of now.entries)
        now = play(now, asMove({ kind: 'expire', taskId: task.id, epoch: current }, 0)).board;
      for (const { task, epoch: current } of now.entries)
        now = play(now, asMove({ kind: 'accept', taskId: task.id, epoch: current }, 0)).board;
      if (now.entries.some(({ status, lapses }) => status.at !== 'done' && lapses.length >= LAPSES_MAX)) return;
      now = withNothingHeldBack(now);
      completed += 1;
      for (const id of IDS) {
        const { epoch: current } = entryIn(now, id);
        for (const kind of ['claim', 'assign', 'complete', 'accept'])
          now = play(now, asMove({ kind, taskId: id, agent: 'alice', epoch: current }, 1_000)).board;
      }
      expect(isAllDone(now)).toBe(true);
    });
    expect(completed).toBeGreaterThan(15);
  });
});

describe('a task that is given back', () => {
  const giveBack = (board: Board, name: string, reason = 'no'): Verdict => {
    const claimed = play(board, { kind: 'claim', taskId: 'a', agent: name, messageId: 'm' }).board;
    return play(claimed, { kind: 'give-back', taskId: 'a', agent: name, epoch: null, reason, messageId: 'm' });
  };
  const boardOf = (who: readonly string[] | null): Board =>
    createBoard(PLAN.tasks, { agents: who, acceptance: 'automatic' });

  it('is blocked the third time, by whomever', () => {
    const first = giveBack(boardOf(null), 'alice');
    const second = giveBack(first.board, 'alice');
    const third = giveBack(second.board, 'bob', 'no spec');
    expect([first.kind, second.kind, third.kind]).toEqual(['freed', 'freed', 'blocked']);
    expect(entryIn(third.board, 'a').lapses.map(({ holder, reason }) => [holder.agent, holder.epoch, reason])).toEqual([
      ['alice', 1, 'no'],
      ['alice', 2, 'no'],
      ['bob', 3, 'no spec'],
    ]);
  });

  it('is blocked when all who are asked have given it back', () => {
    const first = giveBack(boardOf(['alice', 'bob']), 'alice');
    expect([first.kind, giveBack(first.board, 'bob').kind]).toEqual(['freed', 'blocked']);
  });

  it('is given up when it was lost three times, by silence too, and then nobody can claim it', () => {
    let board = boardOf(['alice', 'bob']);
    const kinds: string[] = [];
    for (let at = 1; at <= 3; at++) {
      board = play(board, { kind: 'claim', taskId: 'a', agent: 'alice', messageId: 'm' }).board;
      const verdict = play(board, { kind: 'expire', taskId: 'a', epoch: at });
      kinds.push(verdict.kind);
      board = verdict.board;
    }
    expect(kinds).toEqual(['freed', 'freed', 'blocked']);
    expect(play(board, { kind: 'claim', taskId: 'a', agent: 'bob', messageId: 'm' })).toMatchObject({
      kind: 'refused',
      refusal: { why: 'given-up' },
    });
  });

  it('goes to the others first, and back to who returned it when they have had their time', () => {
    const { board } = giveBack(boardOf(['alice', 'bob']), 'alice');
    const claim = (on: Board, agent: string): Verdict =>
      play(on, { kind: 'claim', taskId: 'a', agent, messageId: 'm' });
    expect(claim(board, 'alice')).toMatchObject({ kind: 'refused', refusal: { why: 'held-back' } });
    expect(availableOn(boardFor(board, 'alice')).map(({ task }) => task.id)).toEqual(['b']);
    expect(availableOn(boardFor(board, 'bob')).map(({ task }) => task.id)).toEqual(['a', 'b']);
    expect([claim(board, 'bob').kind, claim(withNothingHeldBack(board), 'alice').kind]).toEqual(['granted', 'granted']);
  });

  it('can still be claimed by who knows better when it is blocked', () => {
    const { board } = giveBack(boardOf(['alice']), 'alice');
    expect(availableOn(board).map(({ task }) => task.id)).toEqual(['b']);
    expect(play(board, { kind: 'claim', taskId: 'a', agent: 'alice', messageId: 'm' }).kind).toBe('granted');
  });

  it('is blocked again when who knew better falls silent', () => {
    const { board } = giveBack(boardOf(['alice']), 'alice');
    const again = play(board, { kind: 'claim', taskId: 'a', agent: 'alice', messageId: 'm' });
    expect(play(again.board, { kind: 'expire', taskId: 'a', epoch: 2 }).kind).toBe('blocked');
  });
});
