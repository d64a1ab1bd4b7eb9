import { isUtf8 } from 'node:buffer';
import { isHex } from '../host/hex.ts';
import { EVERYONE, isAddress, SYSTEM } from './address.ts';
import { echo } from './cut.ts';
import { noteExactData } from './exact-data.ts';
import { isoTime } from './format-time.ts';
import { findJsonFault } from './json-faults.ts';
import { isMessageId, timeOfId } from './message-id.ts';
import { isMessageType } from './message-type.ts';
import {
  ENVELOPE_VERSION,
  JSON_DEPTH_CEILING,
  type Message,
  type MessageLimits,
  RECIPIENTS_MAX,
  type Refusal,
  THREAD_ID_CHARS_MAX,
} from './message.ts';

/** The JSON text that is signed. Its fields are in this order, so that the same message always has the same bytes. */
export function writeEnvelope(message: Message): string {
  return JSON.stringify({
    v: ENVELOPE_VERSION,
    room: message.room,
    id: message.id,
    from: message.from,
    to: message.to,
    type: message.type,
    sentAt: message.sentAt,
    content: message.content,
    data: message.data,
    threadId: message.threadId,
    replyTo: message.replyTo,
    needsAck: message.needsAck,
    expiresAt: message.expiresAt,
  });
}

/**
 * Reads signed bytes, strictly: fatal UTF-8, no fault of `findJsonFault`, no field missing, unknown or of another type.
 * Call it only after the signature over the same bytes was verified.
 */
export function parseEnvelope(
  bytes: Uint8Array,
  depthMax = JSON_DEPTH_CEILING,
): { message: Message } | { refusal: Refusal } {
  if (!isUtf8(bytes)) return refuse('bad-encoding', 'the signed bytes are not valid UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return refuse('bad-json', `the signed bytes are not JSON: ${(error as Error).message}`);
  }
  const fault = findJsonFault(text, depthMax);
  if (fault) return refuse('bad-json', fault);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return refuse('bad-envelope', 'the signed JSON is not an object');
  }
  const { v, ...fields } = parsed as Record<string, unknown>;
  if (typeof v === 'number' && v > ENVELOPE_VERSION) {
    return refuse('newer-version', `envelope version ${v}, this reader knows ${ENVELOPE_VERSION}: update Mailroom`);
  }
  if (v !== ENVELOPE_VERSION) return refuse('bad-envelope', `field "v": expected ${ENVELOPE_VERSION}`);
  const wrong = findFieldFault(fields);
  if (wrong !== undefined) return refuse('bad-envelope', wrong);
  const message = fields as unknown as Message;
  noteExactData(message, text);
  return { message };
}

/**
 * What a reader or the sender's limits would refuse about a message whose envelope is `bytes`; undefined if nothing.
 */
export function findFault(
  message: Message,
  bytes: Uint8Array,
  { jsonDepthMax }: Pick<MessageLimits, 'jsonDepthMax'>,
): Refusal | undefined {
  if (isPlain(message, jsonDepthMax)) return undefined;
  const parsed = parseEnvelope(bytes, Math.min(jsonDepthMax, JSON_DEPTH_CEILING));
  return 'refusal' in parsed ? parsed.refusal : undefined;
}

/** The envelope and the list of recipients. */
const DEPTH_WITHOUT_DATA = 2;

/**
 * Whether no reader can find a fault, without parsing what was just written: a message without data has nothing nested
 * or named twice, and as long as its text is well-formed nothing is lost in writing it.
 */
function isPlain(message: Message, jsonDepthMax: number): boolean {
  if (message.data !== undefined || jsonDepthMax < DEPTH_WITHOUT_DATA) return false;
  const isFaultless = findFieldFault(message as unknown as Record<string, unknown>) === undefined;
  return isFaultless && message.room.isWellFormed() && message.threadId?.isWellFormed() !== false;
}

/** The first field, except `v`, that is unknown, missing or breaks its rule, in one phrase. */
function findFieldFault(fields: Readonly<Record<string, unknown>>): string | undefined {
  // There is only one spelling of the time in the id, so an equal text needs no further check of its form.
  const isTimeOfId = isId(fields['id']) && fields['sentAt'] === sentAtOf(fields['id']);
  for (const name in fields) {
    if (name === 'sentAt' && isTimeOfId) continue;
    const rule = FIELD_RULES[name];
    if (!rule) return `unknown field ${echo(name, 40)}`;
    if (!rule.holds(fields[name])) return `field "${name}": expected ${rule.expected}`;
  }
  for (const name of REQUIRED_FIELDS) {
    if (!(name in fields)) return `field "${name}" is missing`;
  }
  return isTimeOfId ? undefined : 'field "sentAt": expected the time in the id';
}

/** Undefined for the last centuries of ids, whose years have more digits than a time may have. */
function sentAtOf(id: string): string | undefined {
  const time = isoTime(timeOfId(id));
  return time.length === TIME_CHARS ? time : undefined;
}

const TIME_CHARS = 24;

interface FieldRule {
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const isText = (value: unknown): value is string => typeof value === 'string';
/** `Date.parse` also accepts 31 April and 24:00, which other languages do not: a time has one spelling. */
const isTime = (value: unknown): boolean =>
  isText(value) && ISO_TIME.test(value) && !Number.isNaN(Date.parse(value)) && isoTime(Date.parse(value)) === value;
const isId = (value: unknown): value is string => isText(value) && isMessageId(value);

const FIELD_RULES: Readonly<Record<string, FieldRule>> = Object.assign(Object.create(null), {
  room: { expected: 'a room id of 1 to 64 characters', holds: (v) => isText(v) && v.length > 0 && v.length <= 64 },
  id: { expected: 'a UUIDv7 in lower case', holds: isId },
  from: { expected: 'an address', holds: (v) => isText(v) && isAddress(v) && v !== EVERYONE },
  to: { expected: `["all"], or 1 to ${RECIPIENTS_MAX} different addresses`, holds: isRecipients },
  type: { expected: 'a message type', holds: (v) => isText(v) && isMessageType(v) },
  sentAt: { expected: 'an ISO 8601 time in UTC with ms', holds: isTime },
  content: { expected: 'well-formed text', holds: (v) => isText(v) && v.isWellFormed() },
  data: { expected: 'JSON', holds: () => true },
  threadId: {
    expected: `1 to ${THREAD_ID_CHARS_MAX} characters`,
    holds: (v) => isText(v) && v.length > 0 && v.length <= THREAD_ID_CHARS_MAX,
  },
  replyTo: { expected: 'a UUIDv7 in lower case', holds: isId },
  needsAck: { expected: 'true or false', holds: (v) => typeof v === 'boolean' },
  expiresAt: { expected: 'an ISO 8601 time in UTC with ms', holds: isTime },
} satisfies Record<string, FieldRule>);

const REQUIRED_FIELDS = ['room', 'id', 'from', 'to', 'type', 'sentAt', 'content'] as const;

function isRecipients(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < 1 || value.length > RECIPIENTS_MAX) return false;
  if (value.length === 1 && value[0] === EVERYONE) return true;
  const all = value.every((one) => isText(one) && isAddress(one) && one !== EVERYONE && one !== SYSTEM);
  return all && new Set(value).size === value.length;
}

function refuse(reason: Refusal['reason'], detail: string): { refusal: Refusal } {
  return { refusal: { reason, detail } };
}

/**
 * A message file is `{"signed":` + the signed bytes + `,"signature":{"keyId":"…","value":"<hex>"}}`: one JSON document
 * whose signed part is found without parsing. The last `,"signature":` divides it, and what follows must match exactly.
 */
const PREFIX = Buffer.from('{"signed":');
const DIVIDER = Buffer.from(',"signature":');
const KEY_ID_BEGIN = ',"signature":{"keyId":"';
const VALUE_BEGIN = '","value":"';
const END = '"}}';
const KEY_ID_CHARS = 16;
/** HMAC-SHA256 and Ed25519. */
const VALUE_CHARS = [64, 128];
const REST_BYTES_MAX = 256;

export interface Framed {
  /** The raw bytes that were signed. */
  readonly signed: Buffer;
  /** 16 hex digits. */
  readonly keyId: string;
  /** 64 (HMAC-SHA256) or 128 (Ed25519) hex digits. */
  readonly value: string;
}

export function frame(signed: Uint8Array, signature: { keyId: string; value: string }): Buffer {
  const rest = `,"signature":{"keyId":"${signature.keyId}","value":"${signature.value}"}}`;
  return Buffer.concat([PREFIX, signed, Buffer.from(rest, 'latin1')]);
}

/** Divides a message file; undefined if it does not have exactly this form. */
export function unframe(file: Buffer): Framed | undefined {
  if (file.compare(PREFIX, 0, PREFIX.length, 0, Math.min(PREFIX.length, file.length)) !== 0) return undefined;
  const divider = file.lastIndexOf(DIVIDER);
  if (divider < PREFIX.length || file.length - divider > REST_BYTES_MAX) return undefined;
  const signature = signatureIn(file.toString('latin1', divider));
  return signature && { signed: file.subarray(PREFIX.length, divider), ...signature };
}

/** By hand, because each message has one, and an expression that is used twice is compiled twice. */
function signatureIn(rest: string): { keyId: string; value: string } | undefined {
  const keyIdEnd = KEY_ID_BEGIN.length + KEY_ID_CHARS;
  const valueAt = keyIdEnd + VALUE_BEGIN.length;
  const valueEnd = rest.length - END.length;
  const isInForm =
    VALUE_CHARS.includes(valueEnd - valueAt) &&
    rest.startsWith(KEY_ID_BEGIN) &&
    isHex(rest, KEY_ID_BEGIN.length, keyIdEnd) &&
    rest.startsWith(VALUE_BEGIN, keyIdEnd) &&
    isHex(rest, valueAt, valueEnd) &&
    rest.endsWith(END);
  if (!isInForm) return undefined;
  return { keyId: rest.slice(KEY_ID_BEGIN.length, keyIdEnd), value: rest.slice(valueAt, valueEnd) };
}
