import { cut } from 'agent-mailroom/workflow';
import { z } from 'zod';
import { readClauses } from '../shared/text.ts';

const COMMIT = /^[\w][\w./-]{0,199}$/;
const NOTE_CHARS_MAX = 1_000;

const commit = z.string().regex(COMMIT, 'expected a commit');
const revisionData = z.object({ commit: commit.optional() });

/** A revision by the author. */
export interface Revision {
  readonly commit?: string;
  /** The author's words. */
  readonly note: string;
}

/** Reads `revised; commit: 1a2b3c4d`; a commit in the data takes precedence. Any other text is only a note. */
export function readRevision({
  content,
  data,
}: {
  readonly content: string;
  readonly data: unknown;
}): { readonly revision: Revision } | { readonly fault: string } {
  const { named, rest } = readClauses(content, ['commit']);
  const written = named('commit').at(-1);
  const parsed = revisionData.safeParse({ ...(written === undefined ? {} : { commit: written }), ...asObject(data) });
  if (!parsed.success) {
    const [{ message } = { message: '' }] = parsed.error.issues;
    return { fault: `commit: ${message}` };
  }
  const note = cut(rest.join('; '), { charsMax: NOTE_CHARS_MAX });
  return { revision: parsed.data.commit === undefined ? { note } : { commit: parsed.data.commit, note } };
}

function asObject(data: unknown): object {
  return typeof data === 'object' && data !== null ? data : {};
}
