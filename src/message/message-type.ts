import { InvalidInput } from '../errors.ts';
import { echo } from './cut.ts';
import { nearest } from './nearest.ts';

/** The common message types, which every actor accepts. Actors declare further ones on their cards. */
export const MessageType = {
  /** Asks for an answer. */
  QUESTION: 'QUESTION',
  /** Asks for a review of some work. */
  REVIEW_REQUEST: 'REVIEW-REQUEST',
  /** The sender cannot continue without help. */
  BLOCKED: 'BLOCKED',
  /** The sender has finished some work. */
  COMPLETED: 'COMPLETED',
  /** The sender contradicts what another actor said or did. */
  CHALLENGE: 'CHALLENGE',
  /** Needs no answer. */
  INFO: 'INFO',
  /** Confirms that a message was read. */
  ACK: 'ACK',
} as const;

/** One of the common message types. */
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

const COMMON_TYPES: ReadonlySet<string> = new Set(Object.values(MessageType));
const TYPE_CHARS_MAX = 64;

/** Whether the text has the form of a message type: capitals, digits and single hyphens, at most 64 characters. */
export function isMessageType(text: string): boolean {
  if (COMMON_TYPES.has(text)) return true;
  return text.length <= TYPE_CHARS_MAX && /^[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*$/.test(text);
}

/** Whether every actor knows the type. */
export function isCommonType(type: string): boolean {
  return COMMON_TYPES.has(type);
}

/** Throws `InvalidInput`, with the nearest name, unless the type is common or among the declared ones. */
export function assertDeclaredType(type: string, declared: ReadonlySet<string>): void {
  if (isCommonType(type) || (declared.has(type) && isMessageType(type))) return;
  const known = [...COMMON_TYPES, ...declared];
  const near = nearest(type, known);
  throw new InvalidInput(
    `No actor declares the message type ${echo(type, TYPE_CHARS_MAX)}; declared are ${known.join(', ')}.`,
    {
      hint: near
        ? `Did you mean ${near}?`
        : 'Use one of the declared types, or have the recipient join with --accepts.',
    },
  );
}
