import { assign, or, setup } from 'xstate';
import { z } from 'zod';
import { accepts, broadcast, reply, runIfMain, tell } from 'agent-mailroom/workflow';
import { parsePoll, type Poll, type PollInput } from './poll/input.ts';
import { hasVoted, lastVotes, optionOf, tally, type Tally, type Vote } from './poll/tally.ts';
import { correctionText, questionText, resultText } from './poll/text.ts';

/** What a vote says is its content. A program may name the option in the data instead; any other data is not looked at. */
const vote = z.object({ option: z.string() }).optional().catch(undefined);
/** An INFO that names an option counts too, because many agents answer a question by one. */
const mail = accepts({ VOTE: vote, INFO: vote });

interface Context {
  readonly poll: Poll;
  /** The poll's own: what votes are sent to. */
  readonly address: string;
  readonly votes: readonly Vote[];
  /** Addresses that the question can never reach. */
  readonly unreachable: readonly string[];
}

interface Output extends Tally {
  readonly question: string;
  readonly unreachable: readonly string[];
}

type Event = typeof mail.events;

/** What somebody has said, where the event is a message. */
function said(event: Event): { readonly from: string; readonly text: string; readonly messageId: string } {
  if (event.type === 'mailroom.delivery-failed') throw new TypeError(`${event.type} is no vote`);
  const { from, content, data, messageId } = event;
  return { from, text: data?.option ?? content, messageId };
}

function optionIn({ poll }: Context, event: Event): string | undefined {
  return optionOf(said(event).text, poll.options);
}

function voteBefore({ votes }: Context, event: Event): Vote | undefined {
  return votes.find(({ voter }) => voter === said(event).from);
}

/** The vote of this event and those before it, of each voter the last. */
function votesWith(context: Context, event: Event): readonly Vote[] {
  const { from, messageId } = said(event);
  const option = optionIn(context, event);
  return option === undefined ? context.votes : lastVotes([...context.votes, { voter: from, option, messageId }]);
}

function outputOf({ poll, votes, unreachable }: Context): Output {
  return { question: poll.question, ...tally(poll, votes), unreachable };
}

/**
 * A vote between agents, answered from the command line. It asks, counts one vote of each verified sender, the one sent last,
 * and ends when everybody who is asked has voted or the time is over. It may be killed at any instant.
 */
export const machine = setup({
  schemas: mail,
  types: { context: {} as Context, events: mail.events, input: {} as PollInput, output: {} as Output },
  delays: { deadline: ({ context }) => context.poll.minutes * 60_000 },
  guards: {
    /** There is nobody whose vote could still come. */
    isComplete: ({ context: { poll, votes, unreachable } }) =>
      poll.voters === null
        ? unreachable.length > 0
        : poll.voters.every((voter) => hasVoted(votes, voter) || unreachable.includes(voter)),
    isStranger: ({ context: { poll }, event }) => poll.voters !== null && !poll.voters.includes(said(event).from),
    isNoOption: ({ context, event }) => optionIn(context, event) === undefined,
    isAnother: ({ context, event }) => {
      const before = voteBefore(context, event);
      return before !== undefined && before.option !== optionIn(context, event);
    },
  },
  actions: {
    ask: tell(
      ({ context: { poll } }) => poll.voters ?? 'all',
      ({ context: { poll, address } }) => ({
        type: 'QUESTION',
        content: questionText(poll, address),
        data: { options: poll.options },
      }),
    ),
    count: assign({ votes: ({ context, event }) => votesWith(context, event) }),
    confirm: reply(({ context, event }) => ({
      type: 'INFO',
      content: `You have voted before; your vote is: ${voteBefore(context, event)?.option ?? ''}`,
    })),
    correct: reply(({ context: { poll, address }, event }) => ({
      type: 'INFO',
      content: correctionText(poll, { said: said(event).text, address }),
    })),
    turnAway: reply(({ context: { poll } }) => ({
      type: 'INFO',
      content: `Your vote does not count. Asked are ${poll.voters?.join(', ') ?? 'all'}, about: ${poll.question}`,
    })),
    tellResult: broadcast(({ context }) => {
      const output = outputOf(context);
      return { type: 'INFO', content: resultText(output.question, output), data: output };
    }),
  },
}).createMachine({
  id: 'poll',
  context: ({ input, self }) => ({ poll: parsePoll(input), address: self.sessionId, votes: [], unreachable: [] }),
  initial: 'open',
  states: {
    open: {
      entry: 'ask',
      after: { deadline: 'closed' },
      always: { guard: 'isComplete', target: 'closed' },
      on: {
        VOTE: [
          { guard: 'isStranger', actions: 'turnAway' },
          { guard: 'isNoOption', actions: 'correct' },
          // Counted first, so that the answer says which of the two was sent last.
          { guard: 'isAnother', actions: ['count', 'confirm'] },
          { actions: 'count' },
        ],
        // Not answered where it is no vote: it may be an answer itself, and two that answer each other never end.
        INFO: [
          { guard: or(['isStranger', 'isNoOption']) },
          { guard: 'isAnother', actions: ['count', 'confirm'] },
          { actions: 'count' },
        ],
        'mailroom.delivery-failed': {
          guard: ({ event }) => event.messageType === 'QUESTION',
          actions: assign({ unreachable: ({ event }) => event.to.split(', ') }),
        },
      },
    },
    closed: { type: 'final', entry: 'tellResult' },
  },
  output: ({ context }) => outputOf(context),
});

runIfMain(import.meta.url);
