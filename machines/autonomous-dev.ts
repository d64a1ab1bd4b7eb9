import { assign, emit, enqueueActions, sendTo, setup, spawnChild, stopChild } from 'xstate';
import { activity, ask, broadcast, command, runIfMain, type Answer } from 'agent-mailroom/workflow';
import { machine as change, type ChangeInput, type FromChange, type ToChange } from './autonomous-dev/change.ts';
import { parseLoop, type LoopInput, type LoopTerms } from './autonomous-dev/input.ts';
import { PLAN_SCHEMA, planQuestion, researchQuestion, templatePlan, type Findings } from './autonomous-dev/planning.ts';
import { progress, type Progress } from './autonomous-dev/progress.ts';
import { deliver, type Delivery } from './autonomous-dev/delivery.ts';
import { reportOf, type Ending, type LoopReport, type TestRun } from './autonomous-dev/report.ts';
import {
  integrationDirectory,
  mergeCommit,
  openBranch,
  type Merge,
  type Repository,
} from './autonomous-dev/repository.ts';
import { excerpt } from './autonomous-dev/excerpt.ts';
import { machine as workDistributor } from './work-distributor.ts';
import type { DistributionInput } from './work-distributor/input.ts';
import type { FromParent, ToParent } from './work-distributor/parent.ts';
import { parsePlan, type Plan } from './work-distributor/plan.ts';

const PLAN_TRIES_MAX = 3;
const OUTPUT_LINES_TOLD = 60;
const OUTPUT_CHARS_KEPT = 6_000;

/** Who is at a task now. */
interface Hand {
  readonly childId: string;
  readonly agent: string;
  readonly epoch: number;
}

interface Approved {
  readonly taskId: string;
  readonly epoch: number;
  readonly commit: string;
  readonly title: string;
  readonly agent: string;
}

export interface Context {
  readonly terms: LoopTerms;
  readonly findings: Findings | null;
  readonly plan: Plan | null;
  readonly planSource: string;
  readonly planTries: number;
  readonly planFault: string | null;
  /** By task. */
  readonly hands: Readonly<Record<string, Hand>>;
  /** In the order in which they were approved. */
  readonly toMerge: readonly Approved[];
  readonly changes: LoopReport['changes'];
  readonly tests: readonly TestRun[];
  /** Agents who fell silent with a task, and have not been heard of since. */
  readonly silent: readonly string[];
  /** How many changes were begun: whose turn it is to review. */
  readonly begun: number;
  /** Titles of tasks that nobody is offered any more. */
  readonly blocked: readonly string[];
  readonly delivery: Delivery | null;
  readonly ending: Ending | null;
}

type Event = ToParent | FromChange;

interface Question {
  readonly to: string;
  readonly content: string;
  readonly data: Readonly<Record<string, unknown>>;
}

function changeId(taskId: string, epoch: number): string {
  return `change-${taskId}-${epoch}`;
}

function isAtHand({ hands }: Context, { taskId, epoch }: { readonly taskId: string; readonly epoch: number }): boolean {
  return hands[taskId]?.epoch === epoch;
}

function without(hands: Context['hands'], taskId: string): Context['hands'] {
  return Object.fromEntries(Object.entries(hands).filter(([id]) => id !== taskId));
}

function taskOf(event: Event): { readonly taskId: string; readonly epoch: number } {
  if ('task' in event) return { taskId: event.task.id, epoch: event.epoch };
  if ('taskId' in event) return event;
  throw new TypeError(`${event.type} is about no task`);
}

function toDistributor(event: FromParent): FromParent {
  return event;
}

function toChange(event: ToChange): ToChange {
  return event;
}

/** The plan in an answer, in its data or in its text; or what is wrong with it. */
function planIn({ data, content }: Answer): { readonly plan: Plan } | { readonly fault: string } {
  try {
    return { plan: parsePlan(typeof data === 'object' && data !== null && 'tasks' in data ? data : content) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

function planOf({ plan }: Context): Plan {
  if (!plan) throw new TypeError('there is no plan yet');
  return plan;
}

function nextToMerge({ toMerge }: Context): Approved {
  const [next] = toMerge;
  if (!next) throw new TypeError('there is nothing to merge');
  return next;
}

function aboutMerge(context: Context): { readonly taskId: string; readonly agent: string } {
  const { taskId, agent } = nextToMerge(context);
  return { taskId, agent };
}

function mergedIn(merge: Merge): { readonly commit: string; readonly diffStat: string } {
  if (merge.status !== 'merged') throw new TypeError('it was not merged');
  return { commit: merge.commit, diffStat: merge.diffStat };
}

function conflictIn(merge: Merge): { readonly files: readonly string[]; readonly with: string } {
  if (merge.status !== 'conflict') throw new TypeError('it has no conflict');
  return { files: merge.files, with: merge.with };
}

function changeInput({ terms, silent, begun }: Context, event: ToParent & { type: 'TASK-CLAIMED' }): ChangeInput {
  const { task, agent, epoch } = event;
  const { repository, agents, reviewersNeeded, reviewRounds: rounds, reviewMinutes, voteSeconds } = terms;
  return {
    task,
    agent,
    epoch,
    repository,
    agents: agents.filter((one) => one === agent || !silent.includes(one)),
    reviewersNeeded,
    rounds,
    reviewMinutes,
    voteSeconds,
    offset: begun,
  };
}

function distributionOf(context: Context): DistributionInput {
  const { agents, leaseMinutes, maxHours } = context.terms;
  return {
    plan: { tasks: planOf(context).tasks.map((task) => ({ ...task })) },
    agents,
    leaseMinutes,
    minutes: maxHours * 60,
    acceptance: 'parent',
    staysOpen: true,
  };
}

function lastTests({ tests }: Context): TestRun {
  const last = tests.at(-1);
  if (!last) throw new TypeError('nothing was tested');
  return last;
}

const ended = (outcome: Ending['outcome'], reason: string): { ending: Ending } => ({ ending: { outcome, reason } });

const loop = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    input: {} as LoopInput,
    output: {} as LoopReport,
    emitted: {} as Progress,
  },
  actors: {
    open: activity((repository: Repository, { signal }) => openBranch(repository, signal)),
    question: ask(({ to }: Question) => to, {
      question: ({ content, data }: Question) => ({ type: 'QUESTION', content, data }),
    }),
    distribute: workDistributor,
    change,
    merge: activity(
      ({ repository, ...merged }: { repository: Repository; commit: string; message: string }, { signal }) =>
        mergeCommit(repository, merged, signal),
    ),
    test: command(({ line, cwd, timeoutMs }: { line: string; cwd: string; timeoutMs: number }) => ({
      file: 'sh',
      args: ['-c', line],
      cwd,
      timeoutMs,
      env: { CI: '1' },
    })),
    deliver: activity((context: { terms: LoopTerms; report: LoopReport }, { signal }) =>
      deliver(context.terms, context.report, signal),
    ),
  },
  delays: {
    answer: ({ context }) => context.terms.answerMinutes * 60_000,
    wallClock: ({ context }) => context.terms.maxHours * 3_600_000,
  },
  guards: {
    hasPlan: ({ context }) => context.plan !== null,
    hasPlanner: ({ context }) => context.terms.planner !== null && context.planTries < PLAN_TRIES_MAX,
    hasMerges: ({ context }) => context.toMerge.length > 0,
    isAtHand: ({ context, event }) => isAtHand(context, taskOf(event)),
    hasNobodyBegun: ({ context }) => context.begun === 0,
    passed: ({ context }) => lastTests(context).exitCode === 0 && context.blocked.length === 0,
    mayMend: ({ context }) =>
      lastTests(context).exitCode !== 0 &&
      context.tests.length <= context.terms.fixRounds &&
      context.blocked.length === 0,
  },
  actions: {
    begin: spawnChild('change', {
      id: ({ event }) => changeId(taskOf(event).taskId, taskOf(event).epoch),
      input: ({ context, event }) => changeInput(context, event as ToParent & { type: 'TASK-CLAIMED' }),
    }),
    take: assign(({ context, event }) => {
      if (event.type !== 'TASK-CLAIMED') return {};
      const { task, agent, epoch } = event;
      return {
        hands: { ...context.hands, [task.id]: { childId: changeId(task.id, epoch), agent, epoch } },
        begun: context.begun + 1,
        silent: context.silent.filter((one) => one !== agent),
        blocked: context.blocked.filter((id) => id !== task.id),
      };
    }),
    noteReleased: enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'TASK-RELEASED') return;
      const { taskId, agent, reason, isBlocked } = event;
      enqueue.emit({ type: 'released', taskId, agent, reason });
      enqueue.assign({
        // Whoever has given it back has said something.
        silent: ({ context }) => [...new Set([...context.silent, agent])],
        blocked: ({ context }) => (isBlocked ? [...new Set([...context.blocked, taskId])] : context.blocked),
      });
    }),
    letGo: assign({ hands: ({ context, event }) => without(context.hands, taskOf(event).taskId) }),
    tellPlan: emit(({ context }) =>
      progress({
        type: 'planned',
        source: context.planSource,
        tasks: planOf(context).tasks.map(({ id, title, dependsOn }) => ({ id, title, dependsOn })),
      }),
    ),
    useTemplate: assign({
      plan: ({ context }) => templatePlan(context.terms.feature),
      planSource: ({ context }) =>
        context.terms.planner === null
          ? 'the built-in template, because nobody was asked for a plan'
          : `the built-in template, because ${context.terms.planner} gave none (${context.planFault ?? 'no answer'})`,
    }),
  },
});

/**
 * A team of agents that builds a feature in a git repository: research, a plan, its tasks distributed, each change reviewed
 * and voted on where there is a disagreement, merged as it is approved, and the repository's own tests run until they pass
 * or the rounds are over. What is delivered is a branch and the text of a pull request. It may be killed at any instant.
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
    hands: {},
    toMerge: [],
    changes: [],
    tests: [],
    silent: [],
    begun: 0,
    blocked: [],
    delivery: null,
    ending: null,
  }),
  initial: 'opening',
  after: {
    wallClock: {
      target: '.ended',
      actions: assign(({ context }) =>
        ended(
          'time-over',
          `${context.terms.maxHours} hours are over${context.begun === 0 ? ', and nobody has claimed a task' : ''}`,
        ),
      ),
    },
  },
  states: {
    opening: {
      entry: emit(({ context }) => ({
        type: 'phase',
        phase: 'research',
        detail: context.terms.feature.split('\n', 1)[0] ?? '',
      })),
      invoke: {
        src: 'open',
        input: ({ context }) => context.terms.repository,
        onDone: {
          target: 'researching',
          actions: broadcast(({ context }) => ({
            type: 'INFO',
            content: `Starting research phase for: ${context.terms.feature}`,
          })),
        },
        onError: { target: 'ended', actions: assign(({ event }) => ended('failed', String(event.error))) },
      },
    },
    researching: {
      invoke: {
        src: 'question',
        input: ({ context: { terms } }) => ({
          to: terms.researcher,
          content: researchQuestion(terms.feature, integrationDirectory(terms.repository)),
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
    planning: {
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
                // Whoever cannot plan is not asked once more.
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
              actions: assign(({ event }) => ({ planTries: PLAN_TRIES_MAX, planFault: String(event.error) })),
            },
          },
          after: { answer: { target: 'choosing', actions: assign({ planTries: PLAN_TRIES_MAX }) } },
        },
        chosen: { type: 'final' },
      },
      onDone: { target: 'working', actions: 'tellPlan' },
    },
    working: {
      entry: emit(({ context }) => ({
        type: 'phase',
        phase: 'implementation',
        detail: `${planOf(context).tasks.length} tasks, ${context.terms.agents.length} agents`,
      })),
      invoke: {
        id: 'distributor',
        src: 'distribute',
        input: ({ context }) => distributionOf(context),
        onDone: {
          target: 'ended',
          actions: assign(({ event }) =>
            ended('failed', `the distribution of the tasks ended: ${event.output.outcome}`),
          ),
        },
        onError: { target: 'ended', actions: assign(({ event }) => ended('failed', String(event.error))) },
      },
      on: {
        'TASK-CLAIMED': {
          actions: [
            'begin',
            'take',
            emit(({ event }) => ({
              type: 'claimed',
              taskId: event.task.id,
              title: event.task.title,
              agent: event.agent,
              epoch: event.epoch,
            })),
          ],
        },
        'TASK-COMPLETED': {
          guard: 'isAtHand',
          actions: sendTo(
            ({ event }) => changeId(event.task.id, event.epoch),
            ({ event: { commit, summary, messageId } }) => toChange({ type: 'SUBMITTED', commit, summary, messageId }),
          ),
        },
        'TASK-RELEASED': [
          {
            guard: 'isAtHand',
            actions: [
              sendTo(
                ({ event }) => changeId(event.taskId, event.epoch),
                ({ event }) => toChange({ type: 'RELEASED', reason: event.reason }),
              ),
              'letGo',
              'noteReleased',
            ],
          },
          { actions: 'noteReleased' },
        ],
        READY: {
          guard: 'isAtHand',
          actions: sendTo('distributor', ({ event: { taskId, epoch, workspace } }) =>
            toDistributor({ type: 'ASSIGN', taskId, epoch, workspace }),
          ),
        },
        'GO-ON': {
          guard: 'isAtHand',
          actions: sendTo('distributor', ({ event: { taskId, epoch, feedback } }) =>
            toDistributor({ type: 'REWORK', taskId, epoch, feedback }),
          ),
        },
        APPROVED: {
          guard: 'isAtHand',
          actions: assign({
            toMerge: ({ context, event: { taskId, epoch, commit, title, agent } }) => [
              ...context.toMerge,
              { taskId, epoch, commit, title, agent },
            ],
          }),
        },
        STUCK: {
          guard: 'isAtHand',
          actions: [
            sendTo('distributor', ({ event: { taskId, epoch, reason } }) =>
              toDistributor({ type: 'RELEASE', taskId, epoch, reason }),
            ),
            'letGo',
          ],
        },
        'CHANGE-ENDED': {
          actions: [
            assign({ changes: ({ context, event }) => [...context.changes, event.report] }),
            stopChild(({ event }) => changeId(event.taskId, event.epoch)),
          ],
        },
      },
      after: {
        answer: {
          guard: 'hasNobodyBegun',
          target: 'ended',
          actions: assign(({ context }) =>
            ended('nobody-answered', `nobody claimed a task within ${context.terms.answerMinutes} minutes`),
          ),
        },
      },
      initial: 'building',
      states: {
        building: {
          on: { 'TASKS-SETTLED': 'testing' },
          initial: 'waiting',
          states: {
            waiting: { always: { guard: 'hasMerges', target: 'merging' } },
            merging: {
              invoke: {
                src: 'merge',
                input: ({ context }) => {
                  const { taskId, title, commit, agent } = nextToMerge(context);
                  const message = `Merge ${taskId}: ${title}\n\nWork of ${agent}, reviewed and approved.`;
                  return { repository: context.terms.repository, commit, message };
                },
                onDone: [
                  {
                    guard: ({ event }) => event.output.status === 'merged',
                    target: 'waiting',
                    reenter: true,
                    actions: [
                      emit(({ context, event }) => ({
                        type: 'merged',
                        ...aboutMerge(context),
                        ...mergedIn(event.output),
                      })),
                      sendTo(
                        ({ context }) => changeId(nextToMerge(context).taskId, nextToMerge(context).epoch),
                        ({ event }) => toChange({ type: 'MERGED', commit: mergedIn(event.output).commit }),
                      ),
                      sendTo('distributor', ({ context }) => {
                        const { taskId, epoch } = nextToMerge(context);
                        return toDistributor({ type: 'ACCEPTED', taskId, epoch });
                      }),
                      assign(({ context }) => ({
                        hands: without(context.hands, nextToMerge(context).taskId),
                        toMerge: context.toMerge.slice(1),
                      })),
                    ],
                  },
                  {
                    target: 'waiting',
                    reenter: true,
                    actions: [
                      emit(({ context, event }) => ({
                        type: 'conflict',
                        ...aboutMerge(context),
                        files: conflictIn(event.output).files,
                      })),
                      sendTo(
                        ({ context }) => changeId(nextToMerge(context).taskId, nextToMerge(context).epoch),
                        ({ event }) => toChange({ type: 'CONFLICT', ...conflictIn(event.output) }),
                      ),
                      assign({ toMerge: ({ context }) => context.toMerge.slice(1) }),
                    ],
                  },
                ],
                onError: {
                  target: '#autonomous-dev-loop.ended',
                  actions: assign(({ event }) => ended('failed', String(event.error))),
                },
              },
            },
          },
        },
        testing: {
          entry: emit(({ context }) => ({ type: 'phase', phase: 'testing', detail: context.terms.testCommand })),
          invoke: {
            src: 'test',
            input: ({ context: { terms } }) => ({
              line: terms.testCommand,
              cwd: integrationDirectory(terms.repository),
              timeoutMs: terms.testMinutes * 60_000,
            }),
            onDone: {
              target: 'judging',
              actions: [
                assign({
                  tests: ({ context, event: { output } }) => [
                    ...context.tests,
                    {
                      command: context.terms.testCommand,
                      exitCode: output.timedOut ? null : (output.exitCode ?? null),
                      output: `${output.stdout}\n${output.stderr}`.trim().slice(-OUTPUT_CHARS_KEPT),
                    },
                  ],
                }),
                emit(({ context }) => ({ type: 'tested', ...lastTests(context), round: context.tests.length - 1 })),
              ],
            },
            onError: {
              target: '#autonomous-dev-loop.ended',
              actions: assign(({ event }) => ended('failed', String(event.error))),
            },
          },
        },
        judging: {
          always: [
            { guard: 'passed', target: '#autonomous-dev-loop.delivering' },
            {
              guard: 'mayMend',
              target: 'building',
              actions: sendTo('distributor', ({ context }) => {
                const round = context.tests.length;
                const { command: line, exitCode, output } = lastTests(context);
                return toDistributor({
                  type: 'ADD-TASKS',
                  tasks: [
                    {
                      id: `fix-${round}`,
                      title: `Mend what the tests found (round ${round} of ${context.terms.fixRounds})`,
                      description: [
                        `After everything was merged, \`${line}\` ended with ${exitCode ?? 'a time-out'}. Mend it.`,
                        '',
                        output.split('\n').slice(-OUTPUT_LINES_TOLD).join('\n'),
                      ].join('\n'),
                    },
                  ],
                });
              }),
            },
            {
              target: '#autonomous-dev-loop.ended',
              actions: assign(({ context }) =>
                context.blocked.length > 0
                  ? ended('blocked', `nobody can do ${context.blocked.join(', ')}`)
                  : ended('tests-failed', `the tests still fail after ${context.terms.fixRounds} rounds of mending`),
              ),
            },
          ],
        },
      },
    },
    delivering: {
      entry: [
        emit({ type: 'phase', phase: 'delivery', detail: '' }),
        assign(() => ended('delivered', 'all tasks are done and the tests pass')),
      ],
      invoke: {
        src: 'deliver',
        input: ({ context }) => ({ terms: context.terms, report: reportOf(context) }),
        onDone: { target: 'ended', actions: assign({ delivery: ({ event }) => event.output }) },
        onError: { target: 'ended', actions: assign(({ event }) => ended('failed', String(event.error))) },
      },
    },
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
