import { assign, emit } from 'xstate';
import type { Answer } from 'agent-mailroom/workflow';
import { parsePlan, type Plan } from '../work-distributor/plan.ts';
import { faultText } from '../shared/input.ts';
import { excerpt, PLAN_SCHEMA, planQuestion } from './planning.ts';
import { loop, PLAN_TRIES_MAX } from './loop.ts';
import { integrationDirectory } from './repository.ts';

/** The plan in the data or the text of an answer, or its faults. */
function planIn({ data, content }: Answer): { readonly plan: Plan } | { readonly fault: string } {
  try {
    return { plan: parsePlan(typeof data === 'object' && data !== null && 'tasks' in data ? data : content) };
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
          actions: assign({ plan: ({ context }) => context.terms.plan, planSource: 'the plan that was given' }),
        },
        { guard: 'hasPlanner', target: 'asking' },
        { target: 'chosen', actions: 'useTemplate' },
      ],
    },
    asking: {
      entry: assign({ planTries: ({ context }) => context.planTries + 1 }),
      invoke: {
        src: 'question',
        input: ({ context: { terms, findings, planFault } }) => {
          const directory = integrationDirectory(terms.repository);
          return {
            to: terms.planner ?? '',
            content: planQuestion(terms.feature, { directory, findings, fault: planFault }),
            data: { kind: 'plan', directory, replySchema: PLAN_SCHEMA },
          };
        },
        onDone: {
          target: 'choosing',
          actions: assign(({ event }) => {
            // An agent that cannot plan is not asked again.
            if (event.output.type === 'BLOCKED') {
              return { planTries: PLAN_TRIES_MAX, planFault: excerpt(event.output.content) };
            }
            const found = planIn(event.output);
            return 'plan' in found
              ? {
                  plan: found.plan,
                  planSource: `${event.output.from} (message ${event.output.messageId.slice(-8)})`,
                }
              : { planFault: excerpt(found.fault) };
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
