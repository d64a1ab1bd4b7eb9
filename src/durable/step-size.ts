import { RECORD_BYTES_MAX } from '../chain/record.ts';
import type { RecordTooLarge } from '../chain/record-too-large.ts';
import type { Advance } from '../machine/advance.ts';
import { errorEvent, type Cause } from '../machine/cause.ts';
import type { ErrorFacts } from '../machine/workflow-state.ts';

/** The rest of a record is for what says that a later step failed: the same state, with another cause. */
const STEP_BYTES_MAX = (RECORD_BYTES_MAX / 4) * 3;
/** A result beyond this is the fault of what returned it, where its step fits into no record. */
const RESULT_BYTES_MAX = RECORD_BYTES_MAX / 8;

/** What a message has in the record besides what it says: names, ids, the signature. */
const ENVELOPE_BYTES_MAX = 2 * 1024;

export const STEP_TOO_LARGE = 'StepTooLarge';

/** How large the record of a step may be. A STOP keeps what is there, so it may always have all. */
export function stepBytesMax(cause: Cause): number {
  return cause.kind === 'stop' ? RECORD_BYTES_MAX : STEP_BYTES_MAX;
}

/** Why a step fails whose record is too large. */
export function tooLarge({ bytes, bytesMax }: RecordTooLarge): ErrorFacts {
  return {
    name: STEP_TOO_LARGE,
    message:
      `the step does not fit into the journal: with its cause, its context and its messages the record has ${bytes} bytes, ` +
      `the limit is ${bytesMax}; keep what is large in files`,
  };
}

/**
 * Whether a step that is taken again may be one whose record was too large: without its envelopes and signatures nobody can
 * tell to the byte.
 */
export function mayBeTooLarge(cause: Cause, { state, mail, actions, logs, emitted }: Advance): boolean {
  // What is sent stands there as text and in the signed message, whose quotes are escaped.
  const sent = mail.map(({ draft }) => [draft.content, JSON.stringify(draft)]);
  const bytes = Buffer.byteLength(JSON.stringify([cause, state, sent, actions, logs, emitted]));
  return bytes + mail.length * ENVELOPE_BYTES_MAX > stepBytesMax(cause);
}

/** The same cause with an error as its result; undefined where what it carries is no result, or not what is too large. */
export function withoutResult(cause: Cause): Cause | undefined {
  if (cause.kind !== 'result') return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(cause.event));
  if (bytes <= RESULT_BYTES_MAX) return undefined;
  const message = `"${cause.src}" returned ${bytes} bytes, which do not fit into the journal with its step; the limit is ${RESULT_BYTES_MAX}: return the path of a file`;
  return { ...cause, event: errorEvent(cause.call, { name: 'ResultTooLarge', message }) };
}
