import { describeFailure, type WaitingFor, whereabouts } from '../../journal/describe.ts';
import { listWorkflows, type WorkflowInfo } from '../../journal/list.ts';
import { standingOf } from '../../step/workflow-state.ts';
import { formatTime } from '../../message/format-time.ts';
import { visible } from '../../message/visible.ts';
import type { CliCommand } from '../command.ts';
import { formatDuration } from '../option-values.ts';
import { EXIT_OK } from '../exit-code.ts';
import { commandLine } from '../shell-words.ts';
import { alignColumns, shortId } from '../print/mail.ts';
import { withRoom } from '../with-room.ts';

export const workflows: CliCommand = {
  name: 'workflows',
  summary: 'list workflows, their state and what they wait for',
  operands: [],
  options: [],
  details: `Host is the process that runs the workflow; without a host it is idle until it is run again. A FAILED workflow threw an
error at something it cannot do without, and waits for you. A STUCK one is in a step that does not return. All of this is
read from the journals and a note of the host.

  mailroom workflows
  mailroom workflows --json | jq -r '.[] | select(.status == "active") | .address'`,
  run: (call) =>
    withRoom(call, async (room) => {
      const found = listWorkflows(room);
      const nowMs = call.host.clock.now();
      if (call.isJson) await call.output.json(found.map(asJson));
      else if (found.length > 0)
        await call.output.data(alignColumns([HEADINGS, ...found.map((one) => asRow(one, nowMs))]));
      else await call.output.advise('No workflow was ever run here. Run one with: mailroom run <machine.ts>\n');
      for (const { address, host, stuck } of found) {
        if (stuck && !call.isJson) await call.output.advise(stuckAdvice(address, host));
      }
      return EXIT_OK;
    }),
};

const HEADINGS = ['ADDRESS', 'STATE', 'SINCE', 'HOST', 'WAITING FOR'];

function asJson(info: WorkflowInfo): unknown {
  const { address, machine, state, host, undelivered, waitingFor, damage, stuck, heldBy } = info;
  const { output, error, since, snapshot, failed } = state ?? {};
  const value = (snapshot as { value?: unknown } | undefined)?.value;
  const sinceIso = since === undefined ? undefined : new Date(since).toISOString();
  return {
    address,
    machine,
    status: damage === undefined ? (state ? standingOf(state) : 'not started') : 'damaged',
    damage,
    value,
    since: sinceIso,
    output,
    error: failed?.failure ?? error,
    host,
    undelivered,
    waitingFor,
    stuck: stuck && { since: new Date(stuck.since).toISOString(), cause: stuck.cause },
    heldBy,
  };
}

function asRow(info: WorkflowInfo, nowMs: number): string[] {
  const { address, state, host, undelivered, waitingFor, damage, stuck, heldBy } = info;
  if (damage !== undefined) return [address, 'damaged', '-', '-', visible(damage)];
  const where = state ? whereabouts(state) : 'not started';
  const since = state ? `${formatDuration(nowMs - (state.failed?.at ?? state.since))} ago` : '-';
  const waits = waitingFor.map((one) => waitText(one, nowMs));
  if (stuck) waits.unshift(`STUCK: in a step since ${formatTime(stuck.since)}, on ${stuck.cause}`);
  if (heldBy !== undefined) waits.unshift(`STUCK: its host is in a step of ${heldBy}`);
  if (undelivered > 0) waits.push(`${undelivered} message${undelivered === 1 ? '' : 's'} to be delivered`);
  if (state?.failed)
    waits.unshift(`--retry-failed, --again or stop, because of ${describeFailure(state.failed.failure)}`);
  if (waits.length === 0 && state?.status === 'active') waits.push('mail');
  return [address, visible(where), since, host === undefined ? '-' : String(host), visible(waits.join(', '))];
}

/** What to do about a step that does not return: its host does nothing else meanwhile, and takes no STOP. */
function stuckAdvice(address: string, host: number | undefined): string {
  const stop = commandLine(['stop', address]);
  return `${address}: a step that does not return holds its host. End the host: kill ${host}\n  Then fix the machine and run it again. To end the workflow instead: ${stop}\n`;
}

function waitText(waiting: WaitingFor, nowMs: number): string {
  switch (waiting.kind) {
    case 'timer':
      return waiting.dueAt <= nowMs
        ? `${waiting.name} (due)`
        : `${waiting.name} (in ${formatDuration(waiting.dueAt - nowMs)})`;
    case 'answer':
      return `${waiting.from} to answer ${shortId(waiting.questionId)}`;
    case 'child':
      return `child ${waiting.address}`;
    default:
      return `${waiting.kind} ${waiting.src}`;
  }
}
