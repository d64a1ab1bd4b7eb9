import { assign, emit } from 'xstate';
import type { Answer } from 'agent-mailroom/workflow';
import { parsePlan, unknownKeys, type Plan } from '../work-distributor/plan.ts';
import { faultText } from '../shared/input.ts';
import { excerpt, PLAN_SCHEMA, planQuestion } from './planning.ts';
import { ended } from './context.ts';
import { conventionsText } from './conventions.ts';
import { loop, PLAN_TRIES_MAX } from './loop.ts';
import { integrationDirectory } from './repository.ts';

/** The plan in the data or the text of an answer, with what of it is ignored, or its faults. */
function planIn({
  data,
  content,
}: Answer): { readonly plan: Plan; readonly ignored: string[] } | { readonly fault: string } {
  try {
    const given = typeof data === 'object' && data !== null && 'tasks' in data ? data : content;
    return { plan: parsePlan(given), ignored: unknownKeys(given) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

/** Chooses the given plan, a planner's, or the built-in one. */
export const planning = loop.createStateConfig({
  entry: [
    emit(({ context: { findings } }) => ({
      type: 'researched',
      by: findings?.by ?? null,
      findings: findings?.text ?? '',
      messageId: findings?.messageId ?? null,
    })),
    emit({ type: 'phase', phase: 'planning', detail: '' }),
  ],
  initial: 'choosing',
  states: {
    choosing: {
      always: [
        { guard: 'hasPlan', target: 'chosen' },
        {
          guard: ({ context }) => context.terms.plan !== null,
          target: 'chosen',
          actions: assign(({ context: { terms } }) => ({
            plan: terms.plan,
            planSource: 'the plan that was given',
            planIgnored: terms.planIgnored,
          })),
        },
        { guard: 'hasPlanner', target: 'asking' },
        {
          // A plan that nobody asked for would be built for money.
          guard: ({ context }) => context.planRefusals >= PLAN_TRIES_MAX,
          target: '#autonomous-dev-loop.ended',
          actions: assign(({ context: { terms, planFault } }) =>
            ended(
              'blocked',
              `${PLAN_TRIES_MAX} plans of ${terms.planner} cannot be used, the last one because of: ${planFault} Give a plan with --plan <file>, or name another agent first.`,
            ),
          ),
        },
        { target: 'chosen', actions: 'useTemplate' },
      ],
    },
    asking: {
      entry: assign({ planTries: ({ context }) => context.planTries + 1 }),
      invoke: {
        src: 'question',
        input: ({ context: { terms, conventions, findings, planFault } }) => {
          const directory = integrationDirectory(terms.repository);
          const { repository, testCommand } = terms;
          const about = conventionsText(conventions, { setup: repository.setup, testCommand });
          return {
            to: terms.planner ?? '',
            content: planQuestion(terms.feature, { directory, about, findings, fault: planFault }),
            data: { kind: 'plan', directory, replySchema: PLAN_SCHEMA },
          };
        },
        onDone: {
          target: 'choosing',
          actions: assign(({ context, event }) => {
            // An agent that cannot plan is not asked again.
            if (event.output.type === 'BLOCKED') {
              return { planTries: PLAN_TRIES_MAX, planFault: excerpt(event.output.content) };
            }
            const found = planIn(event.output);
            return 'plan' in found
              ? {
                  plan: found.plan,
                  planSource: `${event.output.from} (message ${event.output.messageId.slice(-8)})`,
                  planIgnored: found.ignored,
                }
              : { planFault: excerpt(found.fault), planRefusals: context.planRefusals + 1 };
          }),
        },
        onError: {
          target: 'choosing',
          actions: assign(({ event }) => ({ planTries: PLAN_TRIES_MAX, planFault: faultText(event.error) })),
        },
      },
      after: { answer: { target: 'choosing', actions: assign({ planTries: PLAN_TRIES_MAX }) } },
    },
    chosen: { type: 'final' },
  },
  onDone: { target: 'working', actions: 'tellPlan' },
});
