import type { CommandResult } from '../../jobs/job.ts';
import type { Cause } from '../../step/cause.ts';
import { END, EVENT } from '../../workflow/control.ts';
import { errorFacts } from '../../errors.ts';
import type { PlainEvent } from '../../step/workflow-state.ts';
import type { Message } from '../../message/message.ts';
import type { Taken, WorkflowStep } from './move.ts';

const DETAIL_CHARS_MAX = 80;

/** What happened, on one line: `ship ← GO from bob`, `ship timer patience of asking`, `ship runTests → error Boom`. */
export function lineOf({ step, sent }: Taken): string {
  if (sent) {
    const mail = sent.mail.map(
      ({ message, recipients }) => `${message.type}${detailOf(message)} to ${recipients.join(', ') || 'nobody'}`,
    );
    return `${sent.from} sends ${mail.join(', then ')}`;
  }
  return step ? `${happening(step)}${verdict(step)}` : 'nothing';
}

function happening({ address, message, cause, before }: WorkflowStep): string {
  if (message) return `${address} ← ${mailWords(message)}`;
  switch (cause?.kind) {
    case 'start':
      return `${address} starts`;
    case 'timer':
      return `${address} timer ${timerWords(cause, before?.timers[cause.timer])}`;
    case 'result':
      return `${address} ${cause.src} → ${resultWords(cause.event)}`;
    case 'undelivered': {
      const { event, call } = cause;
      const what = call === undefined ? String(event['messageType']) : `what "${call}" sent`;
      return `${address} hears that ${what} cannot be delivered to ${cause.to}`;
    }
    default:
      return `${address} ${cause?.kind}`;
  }
}

function mailWords(message: Message): string {
  const { type, from, content } = message;
  if (type === EVENT) return `${content} from ${from}`;
  if (type === END) return `END from ${from}${brief((message.data as { status?: unknown } | undefined)?.status)}`;
  return `${type} from ${from}${detailOf(message)}`;
}

function detailOf({ type, data, content }: Message): string {
  if (/^(?:START|STOP|END|EVENT)$/.test(type)) return '';
  return brief(data ?? (content === '' ? undefined : content));
}

function brief(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return ` ${text.length > DETAIL_CHARS_MAX ? `${text.slice(0, DETAIL_CHARS_MAX)}…` : text}`.replaceAll(/\s+/g, ' ');
}

/** XState's own name for an `after` is `xstate.after.<delay>.<machine>.<state>`. */
function timerWords({ timer, event }: Cause & { kind: 'timer' }, armed: unknown): string {
  const after = /^xstate\.after\.(.+)$/.exec(timer)?.[1];
  if (after !== undefined) {
    const [delay, , ...state] = after.split('.');
    return state.length === 0 ? `${delay}` : `${delay} of ${state.join('.')}`;
  }
  if (event) return /^[0-9a-f]{12}\./.test(timer) ? event.type : timer;
  const { mail } = (armed ?? {}) as { mail?: { to: readonly string[]; draft: { type: string } } };
  return mail ? `sends ${mail.draft.type} to ${mail.to.join(', ')}` : timer;
}

function resultWords(event: PlainEvent): string {
  const { error } = event;
  if (event.type.startsWith('xstate.error.')) return `error${brief(errorFacts(error).message)}`;
  const { exitCode, signal } = (event['output'] ?? {}) as Partial<CommandResult>;
  if (exitCode !== undefined) return exitCode === null ? `ended by ${signal}` : `exit code ${exitCode}`;
  return brief(event['output']).trim();
}

function verdict({ received, advanced }: WorkflowStep): string {
  if (received && 'refusal' in received) return ` (dead letter: ${received.refusal.reason})`;
  if (received && 'late' in received) return ' (too late)';
  if (advanced?.state.failed) return ` (FAILED: ${advanced.failure?.message})`;
  if (advanced?.verdict === 'failed') return ` (the step fails: ${advanced.failure?.message})`;
  return advanced?.verdict === 'unhandled' ? ' (unhandled)' : '';
}
