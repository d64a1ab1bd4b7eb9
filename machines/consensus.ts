import { assign, setup } from 'xstate';
import { z } from 'zod';
import { accepts, broadcast, reply, runIfMain, tell } from 'agent-mailroom/workflow';
import { readBallot, type Ballot, type Reading } from './consensus/ballot.ts';
import { parseElection, type Election, type ElectionInput } from './consensus/election.ts';
import { lastBallots, tally, type Tally } from './consensus/tally.ts';
import { correctionText, questionText, resultText, strangerText, summonsText } from './consensus/text.ts';
import { undelivered, type Undelivered } from './shared/text.ts';

/** Read by `readBallot`, which can tell a voter what is wrong. */
const mail = accepts({ VOTE: z.unknown(), INFO: z.unknown() });

export interface Context {
  readonly election: Election;
  /** The workflow's own: what votes are sent to. */
  readonly address: string;
  /** Of each voter the last. */
  readonly ballots: readonly Ballot[];
  readonly undelivered: readonly Undelivered[];
}

/** What a consensus ends with. */
export interface ConsensusOutput extends Tally {
  readonly question: string;
  readonly algorithm: Election['algorithm'];
  readonly electorate: readonly string[];
  readonly undelivered: readonly Undelivered[];
}

type Event = typeof mail.events;
type VoteEvent = Exclude<Event, { type: 'mailroom.delivery-failed' }>;

/** The event as the message that it is. */
function said(event: Event): VoteEvent {
  if (event.type === 'mailroom.delivery-failed') throw new TypeError(`${event.type} is no vote`);
  return event;
}

function readingOf({ election }: Context, event: Event): Reading {
  return readBallot(said(event), election);
}

function ballotBefore({ ballots }: Context, event: Event): Ballot | undefined {
  return ballots.find(({ voter }) => voter === said(event).from);
}

function ballotsWith(context: Context, event: Event): readonly Ballot[] {
  const reading = readingOf(context, event);
  const { from, messageId } = said(event);
  return 'choice' in reading
    ? lastBallots([...context.ballots, { voter: from, ...reading.choice, messageId }])
    : context.ballots;
}

function outputOf({ election, ballots, undelivered: lost }: Context): ConsensusOutput {
  const { question, algorithm, electorate } = election;
  return { question, algorithm, ...tally(election, ballots), electorate, undelivered: lost };
}

/** What everybody hears of the result: without the words of the voters, which lie in their messages. */
function toldOf(context: Context): object {
  const { votes, ...rest } = outputOf(context);
  return { ...rest, votes: votes.map(({ voter, option, messageId }) => ({ voter, option, messageId })) };
}

/**
 * A decision of a fixed electorate by one of five algorithms. It asks, counts one vote of each verified voter, the one sent
 * last, and ends when everybody who can be reached has voted or the time is over. It may be killed at any instant.
 */
export const machine = setup({
  schemas: mail,
  types: { context: {} as Context, events: mail.events, input: {} as ElectionInput, output: {} as ConsensusOutput },
  delays: { deadline: ({ context }) => context.election.seconds * 1_000 },
  guards: {
    /** There is nobody whose vote could still come. */
    isComplete: ({ context: { election, ballots, undelivered: lost } }) =>
      election.electorate.every(
        (one) => ballots.some(({ voter }) => voter === one) || lost.some(({ to }) => to === one),
      ),
    isNoVote: ({ context, event }) => 'isNone' in readingOf(context, event),
    isStranger: ({ context, event }) => !context.election.electorate.includes(said(event).from),
    isBad: ({ context, event }) => 'fault' in readingOf(context, event),
    isAnother: ({ context, event }) => {
      const before = ballotBefore(context, event);
      const reading = readingOf(context, event);
      return before !== undefined && 'choice' in reading && before.option !== reading.choice.option;
    },
  },
  actions: {
    ask: broadcast(({ context: { election, address } }) => ({
      type: 'QUESTION',
      content: questionText(election, address),
      data: { options: election.options.map(({ id }) => id), electorate: election.electorate },
    })),
    /** A broadcast reaches who is there, and fails for nobody; this shows which voters are not. */
    summon: tell(
      ({ context }) => context.election.electorate,
      ({ context: { election, address } }) => ({ type: 'INFO', content: summonsText(election, address) }),
    ),
    count: assign({ ballots: ({ context, event }) => ballotsWith(context, event) }),
    confirm: reply(({ context, event }) => ({
      type: 'INFO',
      content: `You have voted before; your vote is: ${ballotBefore(context, event)?.option ?? ''}`,
    })),
    correct: reply(({ context, event }) => {
      const { election, address } = context;
      const reading = readingOf(context, event);
      return {
        type: 'INFO',
        content: correctionText(election, { fault: 'fault' in reading ? reading.fault : '', address }),
      };
    }),
    turnAway: reply(({ context }) => ({ type: 'INFO', content: strangerText(context.election) })),
    tellResult: broadcast(({ context }) => ({
      type: 'INFO',
      content: resultText(context.election, outputOf(context)),
      data: toldOf(context),
    })),
    note: assign({
      undelivered: ({ context, event }) => [...context.undelivered, ...undelivered(event)],
    }),
  },
}).createMachine({
  id: 'consensus-engine',
  context: ({ input, self }) => ({
    election: parseElection(input),
    address: self.sessionId,
    ballots: [],
    undelivered: [],
  }),
  initial: 'open',
  states: {
    open: {
      entry: ['ask', 'summon'],
      after: { deadline: 'closed' },
      always: { guard: 'isComplete', target: 'closed' },
      on: {
        VOTE: [
          { guard: 'isStranger', actions: 'turnAway' },
          { guard: 'isBad', actions: 'correct' },
          // Counted first, so that the answer says which of the two was sent last.
          { guard: 'isAnother', actions: ['count', 'confirm'] },
          { actions: 'count' },
        ],
        INFO: [
          // Not answered: it may be an answer itself, and two that answer each other never end.
          { guard: 'isNoVote' },
          { guard: 'isStranger', actions: 'turnAway' },
          { guard: 'isBad', actions: 'correct' },
          { guard: 'isAnother', actions: ['count', 'confirm'] },
          { actions: 'count' },
        ],
        'mailroom.delivery-failed': { actions: 'note' },
      },
    },
    closed: { type: 'final', entry: 'tellResult' },
  },
  output: ({ context }) => outputOf(context),
});

runIfMain(import.meta.url);
