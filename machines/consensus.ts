import { assign, setup } from 'xstate';
import { z } from 'zod';
import { accepts, broadcast, reply, runIfMain, tell } from 'agent-mailroom/workflow';
import { readBallot, type Ballot, type Reading } from './consensus/ballot.ts';
import { parseElection, type Election, type ElectionInput } from './consensus/election.ts';
import { lastBallots, tally, type ConsensusTally } from './consensus/tally.ts';
import { correctionText, questionText, resultText, strangerText, summonsText } from './consensus/text.ts';
import { undelivered, type Undelivered } from './shared/text.ts';

/** Any data is accepted: `readBallot` validates it and can tell the voter what is wrong. */
const mail = accepts({ VOTE: z.unknown(), INFO: z.unknown() });

export interface ConsensusContext {
  readonly election: Election;
  /** The workflow's own address, which votes are sent to. */
  readonly address: string;
  /** The last ballot of each voter. */
  readonly ballots: readonly Ballot[];
  readonly undelivered: readonly Undelivered[];
}

/** The output of a consensus. */
export interface ConsensusOutput extends ConsensusTally {
  readonly question: string;
  readonly algorithm: Election['algorithm'];
  readonly electorate: readonly string[];
  readonly undelivered: readonly Undelivered[];
}

type ConsensusEvent = typeof mail.events;
type VoteEvent = Exclude<ConsensusEvent, { type: 'mailroom.delivery-failed' }>;

/** The event as a message that may be a vote. Throws for any other event. */
function messageOf(event: ConsensusEvent): VoteEvent {
  if (event.type === 'mailroom.delivery-failed') throw new TypeError(`${event.type} is no vote`);
  return event;
}

function readingOf({ election }: ConsensusContext, event: ConsensusEvent): Reading {
  return readBallot(messageOf(event), election);
}

/** The ballot that counts so far for the sender of the event. */
function countedBallot({ ballots }: ConsensusContext, event: ConsensusEvent): Ballot | undefined {
  return ballots.find(({ voter }) => voter === messageOf(event).from);
}

function ballotsWith(context: ConsensusContext, event: ConsensusEvent): readonly Ballot[] {
  const reading = readingOf(context, event);
  const { from, messageId } = messageOf(event);
  return 'choice' in reading
    ? lastBallots([...context.ballots, { voter: from, ...reading.choice, messageId }])
    : context.ballots;
}

function outputOf({ election, ballots, undelivered: lost }: ConsensusContext): ConsensusOutput {
  const { question, algorithm, electorate } = election;
  return { question, algorithm, ...tally(election, ballots), electorate, undelivered: lost };
}

/** The broadcast form of the result: without the voters' reasons and evidence, which are in their messages. */
function broadcastOf(context: ConsensusContext): object {
  const { votes, ...rest } = outputOf(context);
  return { ...rest, votes: votes.map(({ voter, option, messageId }) => ({ voter, option, messageId })) };
}

/**
 * A decision of a fixed electorate by one of five algorithms. The workflow asks, counts one vote per verified voter (the last
 * one sent), and closes when every reachable voter has voted or at its deadline. It survives a kill at any instant.
 */
export const machine = setup({
  schemas: mail,
  types: {
    context: {} as ConsensusContext,
    events: mail.events,
    input: {} as ElectionInput,
    output: {} as ConsensusOutput,
  },
  delays: { deadline: ({ context }) => context.election.seconds * 1_000 },
  guards: {
    /** No vote can still arrive. */
    isComplete: ({ context: { election, ballots, undelivered: lost } }) =>
      election.electorate.every(
        (one) => ballots.some(({ voter }) => voter === one) || lost.some(({ to }) => to === one),
      ),
    isNoVote: ({ context, event }) => 'isNone' in readingOf(context, event),
    isStranger: ({ context, event }) => !context.election.electorate.includes(messageOf(event).from),
    isBad: ({ context, event }) => 'fault' in readingOf(context, event),
    isAnother: ({ context, event }) => {
      const before = countedBallot(context, event);
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
    /** A broadcast reaches only the actors in the room and fails for nobody; this message fails for each voter who is not in it. */
    summon: tell(
      ({ context }) => context.election.electorate,
      ({ context: { election, address } }) => ({ type: 'INFO', content: summonsText(election, address) }),
    ),
    count: assign({ ballots: ({ context, event }) => ballotsWith(context, event) }),
    confirm: reply(({ context, event }) => ({
      type: 'INFO',
      content: `You have voted before; your vote is: ${countedBallot(context, event)?.option ?? ''}`,
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
      data: broadcastOf(context),
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
          // Counted first, so that the reply names the vote that was sent last.
          { guard: 'isAnother', actions: ['count', 'confirm'] },
          { actions: 'count' },
        ],
        INFO: [
          // No reply: it may be a reply itself, and two workflows that reply to each other never stop.
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
