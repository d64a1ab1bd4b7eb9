import { isReported, undeliveredCause } from '../../runtime/effects.ts';
import { InvalidInput } from '../../errors.ts';
import { resultEvent, type Cause } from '../../step/cause.ts';
import { type Command, durableWorkOf } from '../../workflow/activity.ts';
import { receive } from '../../step/receive.ts';
import type { WorkflowCall } from '../../step/workflow-state.ts';
import { agentMoves } from './agents.ts';
import { afterFiring } from './clock.ts';
import { commit } from './commit.ts';
import type { Move, Taken, WorkflowStep } from './move.ts';
import type { InTransit, Situation, WorkflowAt } from './situation.ts';
import type { Outcome, SystemUnderTest } from './system.ts';

/** Everything that can happen next: exactly what the hosts of the room, and the agents, could do. */
export function movesOf(system: SystemUnderTest, situation: Situation): Move[] {
  return [
    ...deliveries(system, situation),
    ...timers(system, situation),
    ...results(system, situation),
    ...situation.undeliverable.flatMap((one, index): Move[] => {
      if (situation.workflows.get(one.from)?.state?.failed) return [];
      const to = one.refused[0]?.to;
      const isFirst = !situation.undeliverable.some(
        (other, at) => at < index && other.from === one.from && other.refused[0]?.to === to,
      );
      return isFirst ? [{ isCertain: true, take: () => tellUndelivered(system, situation, index) }] : [];
    }),
    ...agentMoves(system, situation, (before, sent) => deliver(system, before, sent)),
  ];
}

/**
 * Between the same two actors mail keeps its order, except that control mail does not wait for the rate limit and so may
 * overtake other mail. A message that waits for its recipient's start is passed over.
 */
function deliveries(system: SystemUnderTest, situation: Situation): Move[] {
  const moves: Move[] = [];
  const held = new Map<string, 'control' | 'mail'>();
  for (const sent of situation.transit) {
    const pair = `${sent.message.from} ${sent.to}`;
    const before = held.get(pair);
    if (before === 'control' || (before === 'mail' && !sent.isControl)) continue;
    const workflow = situation.workflows.get(sent.to);
    if (!workflow || waits(sent, workflow)) continue;
    held.set(pair, sent.isControl ? 'control' : 'mail');
    const transit = situation.transit.filter((one) => one !== sent);
    moves.push({ isCertain: true, take: () => deliver(system, { ...situation, transit }, sent) ?? { situation } });
  }
  return moves;
}

/** Undefined when it waits for its recipient to be started. */
function deliver(
  system: SystemUnderTest,
  situation: Situation,
  { to: address, message, isControl }: InTransit,
): Taken | undefined {
  const workflow = situation.workflows.get(address);
  if (!workflow) return undefined;
  const { machine, state, expected } = workflow;
  const received = receive(message, { machine, address, state, expected });
  if ('waits' in received) return undefined;
  if (!('cause' in received)) return { situation, step: { address, message, received } };
  const taken = takeCause(system, situation, { address, cause: received.cause, message, received });
  if (!taken.step?.advanced?.state.failed) return taken;
  // What a workflow cannot get past stays in its mailbox, before all that came later.
  const transit = [{ to: address, message, isControl }, ...taken.situation.transit];
  return { ...taken, situation: { ...taken.situation, transit } };
}

function waits({ to: address, message }: InTransit, { machine, state, expected }: WorkflowAt): boolean {
  return (
    (state === undefined || state.failed !== undefined) &&
    'waits' in receive(message, { machine, address, state, expected })
  );
}

/** Starts those that are started by hand. */
export function takeCause(
  system: SystemUnderTest,
  situation: Situation,
  step: WorkflowStep & { readonly cause: Cause },
): Taken {
  const before = situation.workflows.get(step.address)?.state;
  const { situation: after, advanced } = commit(system, situation, step);
  return { situation: after, step: { ...step, before, advanced } };
}

function timers(system: SystemUnderTest, situation: Situation): Move[] {
  return [...situation.workflows].flatMap(([address, { state, timers: order }]) =>
    Object.entries(state?.failed ? {} : (state?.timers ?? {}))
      .filter(([, { effectId }]) => afterFiring(order, effectId) !== undefined)
      .map(([timer, one]): Move => {
        const { dueAt } = one;
        const cause: Cause = { kind: 'timer', timer, dueAt, ...('event' in one ? { event: one.event } : {}) };
        return { isCertain: true, take: () => takeCause(system, situation, { address, cause }) };
      }),
  );
}

function results(system: SystemUnderTest, situation: Situation): Move[] {
  return [...situation.workflows].flatMap(([address, workflow]) =>
    Object.entries(workflow.state?.failed ? {} : (workflow.state?.calls ?? {})).flatMap(([childId, call]): Move[] => {
      if (call.kind !== 'activity' && call.kind !== 'command') return [];
      const outcomes = outcomesOf(system, workflow, { address, call });
      const isCertain = !outcomes.includes(null);
      return outcomes
        .filter((one) => one !== null)
        .map((outcome) => {
          const { src, effectId } = call;
          const event = resultEvent(childId, src, outcome);
          const cause: Cause = { kind: 'result', call: childId, src, effectId, event };
          return { isCertain, take: () => takeCause(system, situation, { address, cause }) };
        });
    }),
  );
}

function outcomesOf(
  { outcomes }: SystemUnderTest,
  { machine }: WorkflowAt,
  { address, call }: { address: string; call: WorkflowCall & { kind: 'activity' | 'command' } },
): readonly (Outcome | null)[] {
  const { src, input, kind } = call;
  let ofCommand = {};
  if (kind === 'command') {
    const { spec } = durableWorkOf(machine.implementations.actors[src]) as Command;
    try {
      ofCommand = { command: spec(input) };
    } catch (error) {
      return [{ error }];
    }
  }
  const given = outcomes?.({ address, src, input, ...ofCommand });
  if (given && given.length > 0) return given;
  throw new InvalidInput(
    `explore(): the ${kind} "${src}" of ${address} is invoked, and outcomes does not say how it may end.`,
    {
      hint: `outcomes: ({ src }) => (src === '${src}' ? [{ output: … }, { error: new Error('…') }] : …)`,
    },
  );
}

function tellUndelivered(system: SystemUnderTest, before: Situation, index: number): Taken {
  const situation = { ...before, undeliverable: before.undeliverable.filter((_, at) => at !== index) };
  const { from: address, entry, refused } = before.undeliverable[index] ?? {};
  const state = address === undefined ? undefined : before.workflows.get(address)?.state;
  if (address === undefined || !entry || !refused || !state) return { situation };
  const cause = undeliveredCause(entry, refused, state);
  return isReported(entry, cause) ? takeCause(system, situation, { address, cause }) : { situation };
}
