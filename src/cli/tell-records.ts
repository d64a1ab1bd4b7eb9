import { commitLine, failedLine, noteLine, type StoryLine } from '../durable/story.ts';
import type { RecordListener } from '../durable/workflow-family.ts';
import type { WorkflowState } from '../machine/workflow-state.ts';
import { storyText } from './story-text.ts';
import type { Call } from './command.ts';

/** Tells every record of a running workflow on stderr, a line each, as it becomes true. */
export function createTeller(
  { output }: Pick<Call, 'output'>,
  { address, state }: { address: string; state: WorkflowState | undefined },
): RecordListener {
  const before = new Map<string, WorkflowState>();
  if (state) before.set(address, state);
  return (who, record) => {
    const last = before.get(who);
    const line = lineOf(record, last);
    if ('commit' in record) before.set(who, record.commit.state);
    if ('failed' in record && last) before.set(who, { ...last, failed: record.failed });
    void output.talk(storyText(line, { address: who === address ? undefined : who }));
  };
}

function lineOf(record: Parameters<RecordListener>[1], before: WorkflowState | undefined): StoryLine {
  if ('commit' in record) return commitLine(record.seq, record.commit, before);
  return 'failed' in record ? failedLine(record.seq, record.failed, before) : noteLine(record.seq, record.note);
}
