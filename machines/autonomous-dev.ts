import { assign, emit } from 'xstate';
import { broadcast, runIfMain } from 'agent-mailroom/workflow';
import { ended } from './autonomous-dev/context.ts';
import { conventionsText } from './autonomous-dev/conventions.ts';
import { excerpt, researchQuestion } from './autonomous-dev/planning.ts';
import { parseLoop } from './autonomous-dev/input.ts';
import { loop, openText } from './autonomous-dev/loop.ts';
import { planning } from './autonomous-dev/planning-state.ts';
import { proving } from './autonomous-dev/proving-state.ts';
import { publishing } from './autonomous-dev/publishing-state.ts';
import { reportOf } from './autonomous-dev/report.ts';
import { integrationDirectory } from './autonomous-dev/repository.ts';
import { working } from './autonomous-dev/working-state.ts';
import { faultText } from './shared/input.ts';

/**
 * A team of agents that builds a feature in a git repository. Research comes first, then a plan; its tasks are distributed,
 * each change is reviewed (and voted on at a disagreement) and merged once approved, and the repository's own tests run until
 * they pass or no fix round is left. The result is a branch and the text of a pull request, which is opened on request. It
 * survives a kill at any instant.
 */
export const machine = loop.createMachine({
  id: 'autonomous-dev-loop',
  context: ({ input }) => ({
    terms: parseLoop(input),
    findings: null,
    plan: null,
    planSource: '',
    planTries: 0,
    planFault: null,
    planRefusals: 0,
    planIgnored: [],
    hands: {},
    toMerge: [],
    merges: [],
    changes: [],
    tests: [],
    conventions: [],
    ports: null,
    baseRun: null,
    known: null,
    silent: [],
    releases: [],
    begun: 0,
    blocked: [],
    mending: null,
    delivery: null,
    pullRequest: null,
    ending: null,
  }),
  initial: 'opening',
  after: {
    wallClock: {
      guard: 'isUndelivered',
      target: '.ended',
      actions: assign(({ context }) =>
        ended(
          'time-over',
          `${context.terms.maxHours} hours are over${context.begun === 0 ? ', and nobody has claimed a task' : openText(context)}`,
        ),
      ),
    },
  },
  states: {
    opening: {
      entry: emit(({ context: { terms } }) => ({
        type: 'phase',
        phase: 'readiness',
        detail: terms.repository.setup ?? '',
      })),
      invoke: {
        src: 'open',
        input: ({ context }) => context.terms.repository,
        onDone: {
          target: 'proving',
          actions: assign(({ event: { output } }) => ({
            ports: output.ports ?? null,
            conventions: output.conventions,
          })),
        },
        onError: { target: 'ended', actions: assign(({ event }) => ended('not-ready', faultText(event.error))) },
      },
    },
    proving,
    researching: {
      entry: [
        emit(({ context }) => ({
          type: 'phase',
          phase: 'research',
          detail: (context.terms.feature.split('\n', 1)[0] ?? '').replace(/^#+\s*/, ''),
        })),
        broadcast(({ context }) => ({
          type: 'INFO',
          content: `Starting research phase for: ${context.terms.feature}`,
        })),
      ],
      invoke: {
        src: 'question',
        input: ({ context: { terms, conventions } }) => ({
          to: terms.researcher,
          content: researchQuestion(terms.feature, {
            directory: integrationDirectory(terms.repository),
            about: conventionsText(conventions, { setup: terms.repository.setup, testCommand: terms.testCommand }),
          }),
          data: { kind: 'research', directory: integrationDirectory(terms.repository) },
        }),
        onDone: {
          target: 'planning',
          actions: assign({
            findings: ({ event }) => {
              const { type, from, content, messageId } = event.output;
              return type === 'BLOCKED' ? null : { by: from, text: excerpt(content), messageId };
            },
          }),
        },
        onError: 'planning',
      },
      after: { answer: 'planning' },
    },
    planning,
    working,
    delivering: {
      entry: [
        emit({ type: 'phase', phase: 'delivery', detail: '' }),
        assign(() => ended('delivered', 'all tasks are done and the tests pass')),
      ],
      invoke: {
        src: 'deliver',
        input: ({ context }) => ({ terms: context.terms, report: reportOf(context), merges: context.merges }),
        onDone: [
          {
            guard: 'wantsPullRequest',
            target: 'publishing',
            actions: assign({ delivery: ({ event }) => event.output }),
          },
          { target: 'ended', actions: assign({ delivery: ({ event }) => event.output }) },
        ],
        onError: { target: 'ended', actions: assign(({ event }) => ended('failed', faultText(event.error))) },
      },
    },
    publishing,
    ended: {
      type: 'final',
      entry: [
        emit(({ context }) => ({
          type: 'ended',
          outcome: context.ending?.outcome ?? 'failed',
          reason: context.ending?.reason ?? '',
        })),
        broadcast(({ context }) => ({
          type: 'INFO',
          content: `The development has ended: ${context.ending?.outcome ?? 'failed'}, ${context.ending?.reason ?? ''}`,
          data: { kind: 'development-ended', outcome: context.ending?.outcome ?? 'failed' },
        })),
      ],
    },
  },
  output: ({ context }) => reportOf(context),
});

runIfMain(import.meta.url);
