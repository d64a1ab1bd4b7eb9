import { describe, expect, it } from 'vitest';
import { machine } from '../../machines/consensus.ts';
import type { ElectionInput } from '../../machines/consensus/election.ts';
import { explore } from '../../src/testing/explore/explore.ts';
import { formatExploration } from '../../src/testing/explore/report.ts';
import { RecordedWorkflow } from './recorded-workflow.ts';
import { commandsIn } from './real-workflow.ts';

const ADDRESS = 'consensus-engine';
const INPUT: ElectionInput = {
  question: 'Which database?',
  options: [
    { id: 'postgres', title: "It's $HOME", description: 'A server.\nTwo of them.' },
    { id: 'sqlite', isSafer: true },
  ],
  electorate: ['alice', 'bob', 'carol'],
  algorithm: 'simple-majority',
  evidence: [{ option: 'sqlite', items: ['bench/db.md'] }],
};

function begin(over: Partial<ElectionInput> = {}): RecordedWorkflow {
  return new RecordedWorkflow(machine, { input: { ...INPUT, ...over }, address: ADDRESS });
}

const vote = (from: string, content: string, data?: unknown): { from: string; type: string; content: string } => ({
  from,
  type: 'VOTE',
  content,
  ...(data === undefined ? {} : { data }),
});

describe('a consensus', () => {
  it('opens with a QUESTION to all with one command per option, and a message to the voters', () => {
    const [question, summons, ...more] = begin().sent;
    expect(more).toEqual([]);
    expect(question).toMatchObject({ to: ['all'], type: 'QUESTION', data: { options: ['postgres', 'sqlite'] } });
    const commands = ['postgres', 'sqlite', 'abstain'].map((one) => `mailroom send ${ADDRESS} VOTE '${one}'`);
    expect(commandsIn(question ?? { content: '' }).map((line) => line.trim())).toEqual(commands);
    for (const word of ['evidence: bench/db.md', "It's $HOME", 'the safer option', 'alice, bob, carol', '300 s']) {
      expect(question?.content).toContain(word);
    }
    expect(summons).toMatchObject({ to: ['alice', 'bob', 'carol'], type: 'INFO' });
    expect(commandsIn(summons ?? { content: '' }).map((line) => line.trim())).toEqual(commands);
  });

  it('ends when all have voted, and the broadcast result names every counted message', () => {
    const run = begin();
    run.says(vote('alice', 'sqlite because it is one file; evidence: a.ts:1; confidence: 0.5'));
    run.says({ from: 'bob', type: 'INFO', content: 'vote:sqlite because I agree' });
    expect(run.status).toBe('active');
    expect(run.sent).toEqual([]);
    run.says(vote('carol', 'words', { option: 'postgres', evidence: ['b.ts:2'] }));
    const ids = [1, 2, 3].map((n) => `01900000-0000-7000-8000-00000000000${n}`);
    expect(run.output).toEqual({
      question: 'Which database?',
      algorithm: 'simple-majority',
      outcome: 'decided',
      option: 'sqlite',
      scores: [
        { option: 'postgres', votes: 1, confidence: 1, evidence: 1, researchQuality: null },
        { option: 'sqlite', votes: 2, confidence: 1.5, evidence: 2, researchQuality: null },
      ],
      votes: [
        {
          voter: 'alice',
          option: 'sqlite',
          confidence: 0.5,
          evidence: ['a.ts:1'],
          reason: 'it is one file',
          researchQuality: null,
          messageId: ids[0],
        },
        {
          voter: 'bob',
          option: 'sqlite',
          confidence: 1,
          evidence: [],
          reason: 'I agree',
          researchQuality: null,
          messageId: ids[1],
        },
        {
          voter: 'carol',
          option: 'postgres',
          confidence: 1,
          evidence: ['b.ts:2'],
          reason: '',
          researchQuality: null,
          messageId: ids[2],
        },
      ],
      abstentions: 0,
      quorum: 2,
      electorate: ['alice', 'bob', 'carol'],
      missing: [],
      undelivered: [],
    });
    const [result, ...more] = run.sent;
    expect(more).toEqual([]);
    expect(result).toMatchObject({ to: ['all'], type: 'INFO', data: { outcome: 'decided', option: 'sqlite' } });
    expect(result?.content).toMatch(/^Decided: sqlite\n/);
    for (const id of ids) expect(result?.content).toContain(id.slice(-8));
    expect(result?.data).toMatchObject({ votes: ids.map((messageId) => ({ messageId })) });
  });

  it('refuses votes from outside of the electorate with a reply', () => {
    const run = begin();
    run.says(vote('eve', 'sqlite'));
    expect(run.sent).toMatchObject([{ to: ['eve'], content: expect.stringContaining('Your vote does not count') }]);
    run.says({ from: 'eve', type: 'INFO', content: 'vote:sqlite' });
    expect(run.sent).toMatchObject([{ to: ['eve'] }]);
    run.says({ from: 'eve', type: 'INFO', content: 'hello' });
    expect(run.sent).toEqual([]);
    expect(run.timesOut('deadline', 'open').output).toMatchObject({ outcome: 'no-votes', votes: [] });
  });

  it('ignores a voter named in the data', () => {
    const run = begin().says(vote('eve', 'sqlite', { option: 'sqlite', voter: 'alice', from: 'alice' }));
    expect(run.timesOut('deadline', 'open').output).toMatchObject({ votes: [], missing: INPUT.electorate });
  });

  it('replies to an unreadable vote with the fault and the commands', () => {
    const run = begin().says(vote('alice', 'mysql'));
    expect(run.sent).toMatchObject([
      { to: ['alice'], type: 'INFO', content: expect.stringContaining('"mysql" is none of the options') },
    ]);
    expect(commandsIn(run.sent[0] ?? { content: '' })).toHaveLength(3);
    run.says({ from: 'alice', type: 'INFO', content: 'let me think' });
    expect(run.sent).toEqual([]);
  });

  it('counts the last vote sent, in any order of arrival, and says which one counts', () => {
    const run = begin({ electorate: ['alice', 'bob'] });
    run.says({ ...vote('alice', 'sqlite'), messageId: '01900000-0000-7000-8000-0000000000ff' });
    run.says({ ...vote('alice', 'postgres'), messageId: '01900000-0000-7000-8000-0000000000aa' });
    expect(run.sent).toMatchObject([{ to: ['alice'], content: 'You have voted before; your vote is: sqlite' }]);
    run.says({ ...vote('alice', 'abstain'), messageId: '01900000-0000-7000-8000-000000000fff' });
    expect(run.sent).toMatchObject([{ to: ['alice'], content: 'You have voted before; your vote is: abstain' }]);
    expect(run.says(vote('bob', 'sqlite')).output).toMatchObject({ outcome: 'decided', abstentions: 1 });
  });

  it('does not wait for unreachable voters, and records them', () => {
    const run = begin().failsToReach('carol', 'INFO');
    run.says(vote('alice', 'sqlite')).says(vote('bob', 'sqlite'));
    expect(run.output).toMatchObject({
      outcome: 'decided',
      missing: ['carol'],
      undelivered: [{ to: 'carol', type: 'INFO', code: 'ACTOR_NOT_FOUND' }],
    });
  });

  it('ends at once if nobody can be reached', () => {
    const run = begin().failsToReach('all', 'QUESTION');
    expect(run.status).toBe('active');
    run.failsToReach('alice, bob, carol', 'INFO');
    expect(run.output).toMatchObject({ outcome: 'no-votes', missing: INPUT.electorate });
  });

  it.each([
    ['no-votes', []],
    ['no-quorum', [vote('alice', 'sqlite')]],
    ['all-abstained', [vote('alice', 'abstain'), vote('bob', 'abstain')]],
    ['no-evidence', [vote('alice', 'postgres'), vote('bob', 'postgres')]],
    ['decided', [vote('alice', 'sqlite'), vote('bob', 'abstain')]],
  ])('is %s at the deadline after %j', (outcome, votes) => {
    const run = begin({ algorithm: 'evidence-based' });
    for (const one of votes) run.says(one);
    expect(run.timesOut('deadline', 'open').output).toMatchObject({ outcome });
    expect(run.sent).toMatchObject([{ to: ['all'], type: 'INFO' }]);
  });

  it('has a default deadline of 300 s', () => {
    const delays = (run: RecordedWorkflow): unknown[] =>
      run.effects.flatMap((effect) => (effect.kind === 'raise' ? [effect.delayMs] : []));
    expect(delays(begin())).toEqual([300_000]);
    expect(delays(begin({ seconds: 1.5 }))).toEqual([1_500]);
  });
});

it('closes with one vote per voter for every order of votes, failures and the deadline', () => {
  const sends = (content: string): { to: string; type: string; content: string } => ({
    to: ADDRESS,
    type: 'VOTE',
    content,
  });
  const explored = explore({
    workflows: {
      [ADDRESS]: { machine, input: { ...INPUT, algorithm: 'unanimous', electorate: ['alice', 'bob', 'nobody'] } },
    },
    agents: {
      alice: { sends: [sends('sqlite'), sends('abstain')] },
      bob: { sends: [sends('sqlite; confidence: 2'), sends('postgres')] },
      eve: { sends: [sends('sqlite')] },
    },
    invariant: ({ workflows: { [ADDRESS]: one } }) => {
      const { ballots = [] } = (one?.context ?? {}) as { ballots?: { voter: string }[] };
      const voters = ballots.map(({ voter }) => voter);
      if (new Set(voters).size !== voters.length) return `a voter counts twice: ${voters.join(', ')}`;
      return voters.includes('eve') ? 'a stranger counts' : undefined;
    },
    summarize: ({ workflows: { [ADDRESS]: one } }) =>
      `${one?.status}: ${(one?.output as { outcome?: string } | undefined)?.outcome}`,
  });
  console.log(`${explored.states} states of a consensus looked at`);
  expect(explored.isComplete).toBe(true);
  expect(explored.ends.map(({ summary }) => summary).sort(), formatExploration(explored)).toEqual([
    'done: decided',
    'done: no-majority',
    'done: no-quorum',
    'done: no-votes',
  ]);
  expect([...explored.violations, ...explored.failedSteps, ...explored.endless]).toEqual([]);
});
