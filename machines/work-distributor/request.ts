import { cut } from 'agent-mailroom/workflow';
import { z } from 'zod';
import { type Board, type Entry, heldBy, type Move } from './board.ts';

const LINE_CHARS_MAX = 200;
const SUMMARY_CHARS_MAX = 1_000;

const text = z.string().trim().optional().catch(undefined);
/**
 * What messages may have for a program; the same is in the content for everybody else. Nothing here makes a message
 * unreadable: a field that is something else counts as missing, but an epoch that is none is never the right one.
 */
export const requestData = z
  .object({
    taskId: text,
    epoch: z.coerce.number().int().optional().catch(0),
    commit: text,
    branch: text,
    summary: text,
    reason: text,
  })
  .optional()
  .catch(undefined);

/** A message of an agent. */
export interface Said {
  readonly type: 'CLAIM' | 'COMPLETED' | 'BLOCKED' | 'INFO' | 'QUESTION' | 'ACK';
  /** The verified sender. */
  readonly from: string;
  readonly content: string;
  readonly messageId: string;
  readonly data: z.output<typeof requestData>;
}

const VERBS = { claim: 'claim', done: 'complete', blocked: 'give-back' } as const;
const VERB_OF_TYPE = { CLAIM: 'claim', COMPLETED: 'complete', BLOCKED: 'give-back' } as const;
/** `claim:csv-quoting`, `done:csv-quoting as asked`, `blocked:csv-quoting no spec`. */
const SPOKEN = /^\s*(claim|done|blocked)\s*:\s*(.*)$/isu;
/** An id, perhaps in quotes, and what follows behind a space or a mark. */
const NAMED = /^["'`]?([a-z0-9][a-z0-9-]*)["'`]?(?=$|[\s:;,.!—–])[\s:;,.!—–-]*(.*)$/isu;

/** What an agent wants to happen to a task; undefined when it only tells or asks something. */
export function moveIn({ type, from: agent, content, messageId, data }: Said): Move | undefined {
  const spoken = SPOKEN.exec(content);
  const verb =
    type === 'CLAIM' || type === 'COMPLETED' || type === 'BLOCKED'
      ? VERB_OF_TYPE[type]
      : type === 'INFO' && spoken
        ? VERBS[spoken[1]?.toLowerCase() as keyof typeof VERBS]
        : undefined;
  if (verb === undefined) return undefined;
  const words = (spoken?.[2] ?? content).trim();
  const [, named = idText(words), rest = ''] = NAMED.exec(words) ?? [];
  const taskId = data?.taskId ?? named.toLowerCase();
  const said = shortened(named.toLowerCase() === taskId ? rest : words);
  const epoch = data?.epoch ?? null;
  if (verb === 'claim') return { kind: 'claim', taskId, agent, messageId };
  if (verb === 'give-back') {
    const reason = shortened(data?.reason ?? said);
    return { kind: 'give-back', taskId, agent, epoch, reason: reason === '' ? 'no reason given' : reason, messageId };
  }
  const result = {
    commit: shortOrNull(data?.commit),
    branch: shortOrNull(data?.branch),
    summary: shortened(data?.summary ?? said),
    messageId,
  };
  return { kind: 'complete', taskId, agent, epoch, result };
}

/**
 * The tasks whose leases a message renews: of those that its sender works on the ones that it is about, and all of them
 * when it is about none in particular.
 */
export function renewedBy(board: Board, { from, content, data }: Said): readonly Entry[] {
  const held = heldBy(board, from).filter(({ status }) => status.at === 'claimed' && status.isStarted);
  const words = new Set(content.toLowerCase().match(/[a-z0-9][a-z0-9-]*/gu));
  const isMeant = ({ task: { id } }: Entry): boolean =>
    data?.taskId === undefined ? words.has(id) : data.taskId === id;
  return board.entries.some((entry) => isMeant(entry)) ? held.filter((entry) => isMeant(entry)) : held;
}

function idText(given: string): string {
  return cut(given, { charsMax: LINE_CHARS_MAX, mark: '' });
}

function shortened(said: string): string {
  return cut(said, { charsMax: SUMMARY_CHARS_MAX });
}

function shortOrNull(given: string | undefined): string | null {
  return given === undefined || given === '' ? null : idText(given);
}
