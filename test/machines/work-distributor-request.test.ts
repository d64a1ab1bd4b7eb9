import { describe, expect, it } from 'vitest';
import { createBoard } from '../../machines/work-distributor/board.ts';
import { parsePlan } from '../../machines/work-distributor/plan.ts';
import { applyCommand } from '../../machines/work-distributor/rules.ts';
import { commandIn, renewedBy, requestData, type AgentMessage } from '../../machines/work-distributor/request.ts';

const saying = (type: AgentMessage['type'], content: string, data?: unknown): AgentMessage => ({
  type,
  from: 'alice',
  content,
  messageId: 'm',
  data: requestData.parse(data),
});

describe('the command in a message', () => {
  const cases: readonly (readonly [
    type: AgentMessage['type'],
    content: string,
    data: unknown,
    move: object | undefined,
  ])[] = [
    ['CLAIM', 'csv-quoting', undefined, { kind: 'claim', taskId: 'csv-quoting' }],
    ['CLAIM', ' "CSV-quoting"\n', undefined, { kind: 'claim', taskId: 'csv-quoting' }],
    ['CLAIM', 'claim: csv-quoting, please', undefined, { kind: 'claim', taskId: 'csv-quoting' }],
    ['CLAIM', 'that one', { taskId: 'csv-quoting' }, { kind: 'claim', taskId: 'csv-quoting' }],
    ['CLAIM', 'csv-quoting', 'some text', { kind: 'claim', taskId: 'csv-quoting' }],
    ['CLAIM', '', undefined, { kind: 'claim', taskId: '' }],
    ['INFO', 'claim:csv-quoting', undefined, { kind: 'claim', taskId: 'csv-quoting' }],
    ['INFO', 'Claim: csv-quoting!', undefined, { kind: 'claim', taskId: 'csv-quoting' }],
    ['INFO', 'I claim:csv-quoting', undefined, undefined],
    ['INFO', 'csv-quoting: still at it', { taskId: 'csv-quoting' }, undefined],
    ['QUESTION', 'claim:csv-quoting', undefined, undefined],
    ['ACK', 'done:csv-quoting', undefined, undefined],
    ['INFO', 'done:csv-quoting as asked', undefined, { kind: 'complete', taskId: 'csv-quoting', epoch: null }],
    [
      'COMPLETED',
      'done:csv-quoting as asked',
      { epoch: 3, commit: 'abc' },
      { kind: 'complete', epoch: 3, result: { commit: 'abc', branch: null, summary: 'as asked', messageId: 'm' } },
    ],
    [
      'COMPLETED',
      'All is well.',
      { taskId: 'csv-quoting', epoch: '2', commit: '' },
      {
        kind: 'complete',
        taskId: 'csv-quoting',
        epoch: 2,
        result: { commit: null, branch: null, summary: 'All is well.', messageId: 'm' },
      },
    ],
    [
      'COMPLETED',
      'done:csv-quoting',
      { epoch: 'two', summary: 'long' },
      { kind: 'complete', epoch: 0, result: { commit: null, branch: null, summary: 'long', messageId: 'm' } },
    ],
    [
      'BLOCKED',
      'csv-quoting: there is no spec',
      undefined,
      { kind: 'give-back', taskId: 'csv-quoting', epoch: null, reason: 'there is no spec' },
    ],
    [
      'BLOCKED',
      'blocked:csv-quoting',
      undefined,
      { kind: 'give-back', taskId: 'csv-quoting', reason: 'no reason given' },
    ],
  ];
  it.each(cases)('%s %j with %j', (type, content, data, move) => {
    expect({ move: commandIn(saying(type, content, data)) }).toMatchObject({ move });
  });
});

describe('the leases that a message renews', () => {
  const tasks = ['parser', 'report', 'docs'].map((id) => ({ id, title: id, description: id }));
  const claimed = ['parser', 'report'].reduce(
    (board, taskId) => applyCommand(board, { kind: 'claim', taskId, agent: 'alice', messageId: 'm' }).board,
    createBoard(parsePlan({ tasks }).tasks, { agents: null, acceptance: 'automatic' }),
  );
  it.each([
    ['of the task that its data names', 'the report is hard', { taskId: 'parser' }, ['parser']],
    ['of the tasks that it speaks of', 'Report: half done', undefined, ['report']],
    ['of all that its sender holds, when it speaks of none', 'still here', undefined, ['parser', 'report']],
    ['of none, when it is about what somebody else may have', 'what of docs?', undefined, []],
  ])('are those %s', (_title, content, data, renewed) => {
    expect(renewedBy(claimed, saying('INFO', content, data)).map(({ task }) => task.id)).toEqual(renewed);
  });

  it('are never those of another agent', () => {
    expect(renewedBy(claimed, { ...saying('INFO', 'parser: still at it'), from: 'bob' })).toEqual([]);
  });
});
