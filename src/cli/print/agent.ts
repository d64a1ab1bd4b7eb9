import type { AgentEvent } from '../../agents/settings.ts';
import { formatTime } from '../../message/format-time.ts';
import { visible } from '../../message/visible.ts';
import type { Call } from '../command.ts';
import { formatDuration } from '../option-values.ts';
import { preview, shortId } from './mail.ts';

/** Prints each event of an agent as it happens: a line on stderr, or a JSON line on stdout. */
export function createAgentTeller({ host, isJson, output }: Call): (event: AgentEvent) => void {
  return (event) => {
    if (isJson) void output.report({ json: asJson(event) });
    else void output.talk(`${formatTime(host.clock.now())}  ${visible(formatEvent(event))}\n`);
  };
}

function asJson(event: AgentEvent): unknown {
  const { kind, message, ...rest } = event;
  const { id, from, type } = message;
  return { event: kind, id, from, type, ...rest };
}

function formatEvent(event: AgentEvent): string {
  const { id, from, type, content } = event.message;
  const what = `${shortId(id)}  ${type} from ${from}`;
  switch (event.kind) {
    case 'asked':
      return `${what}  asked${event.round > 1 ? ` (round ${event.round})` : ''}: ${preview(content)}`;
    case 'restarted':
      return `${what}  its session is lost; a new one gets the earlier messages (${event.retold})`;
    case 'answered': {
      const { answer } = event;
      const denied = answer.denied === undefined ? '' : ` (denied: ${answer.denied.join(', ')})`;
      return `${what}  ${answer.isFailure ? 'not answered' : 'answered'} by ${shortId(answer.id)} ${answer.type}${denied}: ${preview(answer.content)}`;
    }
    // A failure that somebody has to fix is shown in full.
    case 'failed':
      return `${what}  failed (${event.failures}), retry in ${formatDuration(event.retryInMs)}: ${preview(event.why, Infinity)}`;
    case 'context':
      return `${what}  noted: ${preview(content)}`;
    case 'postponed':
      return `${what}  its answer waits: ${event.why}`;
    case 'undeliverable':
      return `${what}  a dead letter, its answer cannot be delivered: ${event.why}`;
    case 'unsettled':
      return `${what}  answered, and not acknowledged by this agent: ${event.why}`;
    case 'untidy':
      return `${what}  answered; its records are removed when the agent starts again: ${event.why}`;
    case 'lost':
      return `${what}  left to another process: ${event.why}`;
    default:
      return `${what}  comes back: ${event.why}`;
  }
}
