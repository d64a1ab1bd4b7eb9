import { assign, or, setup } from 'xstate';
import { z } from 'zod';
import { accepts, broadcast, reply, runIfMain, tell } from 'agent-mailroom/workflow';
import { parsePoll, type Poll, type PollInput } from './poll/input.ts';
import { hasVoted, lastVotes, optionOf, tally, type PollTally, type Vote } from './poll/tally.ts';
import { correctionText, questionText, resultText } from './poll/text.ts';

/** The content of a vote is its option. A program may name the option in `data` instead; other data is ignored. */
const vote = z.object({ option: z.string() }).optional().catch(undefined);
/** An INFO that names an option counts too, because many agents answer a question with an INFO. */
const mail = accepts({ VOTE: vote, INFO: vote });

interface PollContext {
  readonly poll: Poll;
  /** The poll's own address, which votes are sent to. */
  readonly address: string;
  readonly votes: readonly Vote[];
  /** Addresses that the question can never reach. */
  readonly unreachable: readonly string[];
}

interface PollOutput extends PollTally {
  readonly question: string;
  readonly unreachable: readonly string[];
}

type PollEvent = typeof mail.events;

/** Sender, text and id of a message that may be a vote. Throws for any other event. */
function messageOf(event: PollEvent): { readonly from: string; readonly text: string; readonly messageId: string } {
  if (event.type === 'mailroom.delivery-failed') throw new TypeError(`${event.type} is no vote`);
  const { from, content, data, messageId } = event;
  return { from, text: data?.option ?? content, messageId };
}

function optionIn({ poll }: PollContext, event: PollEvent): string | undefined {
  return optionOf(messageOf(event).text, poll.options);
}

/** The vote that counts so far for the sender of the event. */
function countedVote({ votes }: PollContext, event: PollEvent): Vote | undefined {
  return votes.find(({ voter }) => voter === messageOf(event).from);
}

/** The earlier votes and the one of this event: the last of each voter. */
function votesWith(context: PollContext, event: PollEvent): readonly Vote[] {
  const { from, messageId } = messageOf(event);
  const option = optionIn(context, event);
  return option === undefined ? context.votes : lastVotes([...context.votes, { voter: from, option, messageId }]);
}

function outputOf({ poll, votes, unreachable }: PollContext): PollOutput {
  return { question: poll.question, ...tally(poll, votes), unreachable };
}

/**
 * A vote between agents, answered from the command line. The poll asks, counts one vote per verified sender (the last one
 * sent), and closes when all voters have voted or at its deadline. It survives a kill at any instant.
 */
export const machine = setup({
  schemas: mail,
  types: { context: {} as PollContext, events: mail.events, input: {} as PollInput, output: {} as PollOutput },
  delays: { deadline: ({ context }) => context.poll.minutes * 60_000 },
  guards: {
    /** No vote can still arrive. */
    isComplete: ({ context: { poll, votes, unreachable } }) =>
      poll.voters === null
        ? unreachable.length > 0
        : poll.voters.every((voter) => hasVoted(votes, voter) || unreachable.includes(voter)),
    isStranger: ({ context: { poll }, event }) => poll.voters !== null && !poll.voters.includes(messageOf(event).from),
    isNoOption: ({ context, event }) => optionIn(context, event) === undefined,
    isAnother: ({ context, event }) => {
      const before = countedVote(context, event);
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
      content: `You have voted before; your vote is: ${countedVote(context, event)?.option ?? ''}`,
    })),
    correct: reply(({ context: { poll, address }, event }) => ({
      type: 'INFO',
      content: correctionText(poll, { text: messageOf(event).text, address }),
    })),
    turnAway: reply(({ context: { poll } }) => ({
      type: 'INFO',
      content: `Your vote does not count. The voters are ${poll.voters?.join(', ') ?? 'all'}. The question is: ${poll.question}`,
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
          // Counted first, so that the reply names the vote that was sent last.
          { guard: 'isAnother', actions: ['count', 'confirm'] },
          { actions: 'count' },
        ],
        // An INFO that is no vote gets no reply: it may be a reply itself, and two workflows that reply to each other never stop.
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
