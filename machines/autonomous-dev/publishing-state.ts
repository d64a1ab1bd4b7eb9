import { assign, emit } from 'xstate';
import { faultText } from '../shared/input.ts';
import { headOf } from './context.ts';
import { loop } from './loop.ts';
import { byHand, publicationOf } from './pull-request.ts';

/** The delivery stands, whether or not its pull request can be opened. */
export const publishing = loop.createStateConfig({
  invoke: {
    src: 'publish',
    input: ({ context }) => publicationOf(context.terms, headOf(context)),
    onDone: {
      target: 'ended',
      actions: [
        assign({ pullRequest: ({ event }) => ({ status: 'opened' as const, url: event.output }) }),
        emit(({ event }) => ({ type: 'pull-request-opened' as const, url: event.output })),
      ],
    },
    onError: {
      target: 'ended',
      actions: [
        assign({
          pullRequest: ({ context, event }) => ({
            status: 'failed' as const,
            fault: faultText(event.error),
            byHand: byHand(publicationOf(context.terms, headOf(context))),
          }),
        }),
        emit(({ event }) => ({ type: 'pull-request-failed' as const, fault: faultText(event.error) })),
      ],
    },
  },
});
