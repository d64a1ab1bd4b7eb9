import { cut } from 'agent-mailroom/workflow';
import { z } from 'zod';
import { type Board, type TaskEntry, heldBy, type BoardCommand } from './board.ts';

const LINE_CHARS_MAX = 200;
const SUMMARY_CHARS_MAX = 1_000;

const text = z.string().trim().optional().catch(undefined);
/**
 * The data that programs may send; the content says the same in words. No fault in it makes a message unreadable: a malformed
 * field counts as missing, except that a malformed epoch never matches.
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
export interface AgentMessage {
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
/** An id, optionally in quotes, and the text after a space or a punctuation mark. */
const NAMED = /^["'`]?([a-z0-9][a-z0-9-]*)["'`]?(?=$|[\s:;,.!—–])[\s:;,.!—–-]*(.*)$/isu;

/** The command in an agent's message; undefined if the message is only information or a question. */
export function commandIn({ type, from: agent, content, messageId, data }: AgentMessage): BoardCommand | undefined {
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
  const remark = shortened(named.toLowerCase() === taskId ? rest : words);
  const epoch = data?.epoch ?? null;
  if (verb === 'claim') return { kind: 'claim', taskId, agent, messageId };
  if (verb === 'give-back') {
    const reason = shortened(data?.reason ?? remark);
    return { kind: 'give-back', taskId, agent, epoch, reason: reason === '' ? 'no reason given' : reason, messageId };
  }
  const result = {
    commit: shortOrNull(data?.commit),
    branch: shortOrNull(data?.branch),
    summary: shortened(data?.summary ?? remark),
    messageId,
  };
  return { kind: 'complete', taskId, agent, epoch, result };
}

/**
 * The tasks whose leases a message renews: those of its sender that the message names, or all of the sender's if it names
 * none.
 */
export function renewedBy(board: Board, { from, content, data }: AgentMessage): readonly TaskEntry[] {
  const held = heldBy(board, from).filter(({ status }) => status.at === 'claimed' && status.isStarted);
  const words = new Set(content.toLowerCase().match(/[a-z0-9][a-z0-9-]*/gu));
  const isMeant = ({ task: { id } }: TaskEntry): boolean =>
    data?.taskId === undefined ? words.has(id) : data.taskId === id;
  return board.entries.some((entry) => isMeant(entry)) ? held.filter((entry) => isMeant(entry)) : held;
}

function idText(given: string): string {
  return cut(given, { charsMax: LINE_CHARS_MAX, mark: '' });
}

function shortened(given: string): string {
  return cut(given, { charsMax: SUMMARY_CHARS_MAX });
}

function shortOrNull(given: string | undefined): string | null {
  return given === undefined || given === '' ? null : idText(given);
}
