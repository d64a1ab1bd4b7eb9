import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  availableOn,
  type Board,
  boardFor,
  createBoard,
  type TaskEntry,
  entryOf,
  holderOf,
  isAllDone,
  missingFor,
  type BoardCommand,
  type BoardVerdict,
  withNothingHeldBack,
} from '../../machines/work-distributor/board.ts';
import { applyCommand, LAPSES_MAX } from '../../machines/work-distributor/rules.ts';
import { parsePlan } from '../../machines/work-distributor/plan.ts';
import { amount } from '../run/amount.ts';

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
const RUNS = amount(200, { long: 500 });
/** So often at least comes what comes seldom. */
const SELDOM = (RUNS * 3) / 100;

const FITTING: Readonly<Record<string, readonly string[]>> = {
  claim: ['free', 'blocked'],
  accept: ['submitted'],
  rework: ['submitted'],
};

/** A drawn command: agent and epoch depend on the board it meets, so that most commands count and many just fail. */
interface Drawn {
  readonly kind: string;
  /** Picks a task that the command fits, or any task. */
  readonly pick: number;
  readonly fits: boolean;
  readonly by: string;
  /** Relative to the current epoch of the task; null if not given. */
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
  readonly command: BoardCommand;
  readonly before: Board;
  readonly verdict: BoardVerdict;
}

/** Has the parts of all kinds; those that a kind does not use are ignored. */
function asCommand(
  drawn: { kind: string; taskId: string; agent?: string; epoch?: number | null },
  at: number,
): BoardCommand {
  const messageId = `message-${at}`;
  const result = { commit: `commit-${at % 2}`, branch: null, summary: '', messageId };
  return { feedback: 'again', reason: 'no', workspace: null, result, messageId, ...drawn } as unknown as BoardCommand;
}

function commandFor(board: Board, { kind, pick, fits, by, epoch }: Drawn, at: number): BoardCommand {
  const fitting = board.entries.filter(
    ({ status }) =>
      (FITTING[kind] ?? ['claimed']).includes(status.at) &&
      (kind !== 'suspend' || (status.at === 'claimed' && status.result !== null)),
  );
  const among = fits && fitting.length > 0 ? fitting : board.entries;
  const entry = among[pick % among.length] ?? entryIn(board, 'a');
  const agent = by === 'holder' ? (holderOf(entry)?.agent ?? 'alice') : by;
  return asCommand({ kind, taskId: entry.task.id, agent, epoch: epoch === null ? null : entry.epoch + epoch }, at);
}

function playAll(board: Board, drawn: readonly Drawn[]): Turn[] {
  const turns: Turn[] = [];
  for (const [at, one] of drawn.entries()) {
    const before = turns.at(-1)?.verdict.board ?? board;
    const command = commandFor(before, one, at);
    turns.push({ command, before, verdict: applyCommand(before, command) });
  }
  return turns;
}

/** Checks random sequences of commands on every kind of board. */
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
  console.log(`${RUNS} runs, moves: ${JSON.stringify(counts)}`);
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
  for (const kind of kinds) expect(counts[kind], kind).toBeGreaterThan(SELDOM);
}

/** The present and past holders, by task and epoch. */
function holdersOn({ entries }: Board): [key: string, agent: string][] {
  return entries.flatMap((entry) => {
    const holders = [holderOf(entry), ...entry.lapses.map((one) => one.holder)].filter((one) => one !== null);
    return holders.map(({ agent: name, epoch: in_ }): [string, string] => [`${entry.task.id}@${in_}`, name]);
  });
}

function entryIn(board: Board, id: string): TaskEntry {
  const entry = entryOf(board, id);
  if (!entry) throw new Error(`there is no ${id}`);
  return entry;
}

describe('for every order of commands', () => {
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

  it('epochs only rise, and only when a holder loses a task', () => {
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

  it('no task is done twice, and a done task stays as it is', () => {
    assertAlways((turns) => {
      const done = new Map<string, TaskEntry>();
      for (const { verdict } of turns) {
        for (const [id, entry] of done) expect(entryIn(verdict.board, id)).toBe(entry);
        if (verdict.kind !== 'done') continue;
        expect(done.has(verdict.after.task.id)).toBe(false);
        done.set(verdict.after.task.id, verdict.after);
      }
    });
  });

  it('a command about an old epoch, or from an agent that is not the holder, changes nothing', () => {
    let late = 0;
    assertAlways((turns) => {
      for (const { command: one, before, verdict } of turns) {
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

  it('a claim succeeds only for a permitted agent, with all dependencies done and the task neither held nor given up', () => {
    let [heldBack, givenUp] = [0, 0];
    assertAlways((turns) => {
      for (const { command: one, before, verdict } of turns) {
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
    expect(heldBack).toBeGreaterThan(SELDOM);
    expect(givenUp).toBeGreaterThan(SELDOM);
  });

  it('no task is claimed more than three times, and no agent is held back unless another one may claim', () => {
    assertAlways((turns, { agents: who }) => {
      const claims = new Map<string, number>();
      for (const { command: one, verdict } of turns) {
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

  it('only a result of the holder counts, and a repeated one only once', () => {
    assertAlways((turns) => {
      for (const { command: one, before, verdict } of turns) {
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

  it('every task is reported as opened once, when it becomes available', () => {
    assertAlways((turns) => {
      for (const { before, verdict } of turns) {
        const known = new Set(availableOn(before).map(({ task }) => task.id));
        const opened = availableOn(verdict.board).filter(({ task }) => !known.has(task.id));
        expect('opened' in verdict ? verdict.opened : []).toEqual(opened);
      }
    });
  });

  it('a refused command changes nothing and names a reason', () => {
    assertAlways((turns) => {
      for (const { before, verdict } of turns) {
        if (verdict.kind !== 'refused') continue;
        expect(verdict.board).toBe(before);
        expect(verdict.refusal.why).toMatch(/\w/);
      }
    });
  });

  it('a willing agent can complete the plan after all leases have ended, unless a task is given up', () => {
    let completed = 0;
    assertAlways((turns, board) => {
      let now = turns.at(-1)?.verdict.board ?? board;
      for (const { task, epoch: current } of now.entries)
        now = applyCommand(now, asCommand({ kind: 'expire', taskId: task.id, epoch: current }, 0)).board;
      for (const { task, epoch: current } of now.entries)
        now = applyCommand(now, asCommand({ kind: 'accept', taskId: task.id, epoch: current }, 0)).board;
      if (now.entries.some(({ status, lapses }) => status.at !== 'done' && lapses.length >= LAPSES_MAX)) return;
      now = withNothingHeldBack(now);
      completed += 1;
      for (const id of IDS) {
        const { epoch: current } = entryIn(now, id);
        for (const kind of ['claim', 'assign', 'complete', 'accept'])
          now = applyCommand(now, asCommand({ kind, taskId: id, agent: 'alice', epoch: current }, 1_000)).board;
      }
      expect(isAllDone(now)).toBe(true);
    });
    expect(completed).toBeGreaterThan(SELDOM);
  });
});

describe('a task that is given back', () => {
  const giveBack = (board: Board, name: string, reason = 'no'): BoardVerdict => {
    const claimed = applyCommand(board, { kind: 'claim', taskId: 'a', agent: name, messageId: 'm' }).board;
    return applyCommand(claimed, { kind: 'give-back', taskId: 'a', agent: name, epoch: null, reason, messageId: 'm' });
  };
  const boardOf = (who: readonly string[] | null): Board =>
    createBoard(PLAN.tasks, { agents: who, acceptance: 'automatic' });

  it('is blocked the third time, whoever gave it back', () => {
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

  it('is blocked when all permitted agents have given it back', () => {
    const first = giveBack(boardOf(['alice', 'bob']), 'alice');
    expect([first.kind, giveBack(first.board, 'bob').kind]).toEqual(['freed', 'blocked']);
  });

  it('is given up after three losses, by silence too, and then nobody can claim it', () => {
    let board = boardOf(['alice', 'bob']);
    const kinds: string[] = [];
    for (let at = 1; at <= 3; at++) {
      board = applyCommand(board, { kind: 'claim', taskId: 'a', agent: 'alice', messageId: 'm' }).board;
      const verdict = applyCommand(board, { kind: 'expire', taskId: 'a', epoch: at });
      kinds.push(verdict.kind);
      board = verdict.board;
    }
    expect(kinds).toEqual(['freed', 'freed', 'blocked']);
    expect(applyCommand(board, { kind: 'claim', taskId: 'a', agent: 'bob', messageId: 'm' })).toMatchObject({
      kind: 'refused',
      refusal: { why: 'given-up' },
    });
  });

  it('is offered to the others first, and after their time to the agent that returned it', () => {
    const { board } = giveBack(boardOf(['alice', 'bob']), 'alice');
    const claim = (on: Board, agent: string): BoardVerdict =>
      applyCommand(on, { kind: 'claim', taskId: 'a', agent, messageId: 'm' });
    expect(claim(board, 'alice')).toMatchObject({ kind: 'refused', refusal: { why: 'held-back' } });
    expect(availableOn(boardFor(board, 'alice')).map(({ task }) => task.id)).toEqual(['b']);
    expect(availableOn(boardFor(board, 'bob')).map(({ task }) => task.id)).toEqual(['a', 'b']);
    expect([claim(board, 'bob').kind, claim(withNothingHeldBack(board), 'alice').kind]).toEqual(['granted', 'granted']);
  });

  it('can still be claimed when it is blocked', () => {
    const { board } = giveBack(boardOf(['alice']), 'alice');
    expect(availableOn(board).map(({ task }) => task.id)).toEqual(['b']);
    expect(applyCommand(board, { kind: 'claim', taskId: 'a', agent: 'alice', messageId: 'm' }).kind).toBe('granted');
  });

  it('is blocked again when the agent that claimed it nevertheless falls silent', () => {
    const { board } = giveBack(boardOf(['alice']), 'alice');
    const again = applyCommand(board, { kind: 'claim', taskId: 'a', agent: 'alice', messageId: 'm' });
    expect(applyCommand(again.board, { kind: 'expire', taskId: 'a', epoch: 2 }).kind).toBe('blocked');
  });
});
