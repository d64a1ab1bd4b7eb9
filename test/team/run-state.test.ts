import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setup } from 'xstate';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepTelling } from '../../machines/team/carry-out.ts';
import { waitsIn, waitsOf } from '../../machines/team/run-state.ts';
import { initRoom, openRoom } from 'agent-mailroom';
import { listWorkflows, runWorkflow, type WorkflowInfo, type WorkflowState } from 'agent-mailroom/runtime';
import { ask, command } from 'agent-mailroom/workflow';
import { until } from '../hostile/until.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('what a run waits for', () => {
  it('is told in words, with whom and since when', async () => {
    const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-state-'));
    await using room = await openRoom({ directory: (await initRoom({ cwd })).directory });
    await room.join('bob');
    const machine = setup({
      actors: {
        question: ask(() => 'bob'),
        test: command(() => ({ file: 'sleep', args: ['600'] })),
      },
    }).createMachine({
      id: 'autonomous-dev-loop',
      type: 'parallel',
      states: {
        asking: { invoke: { src: 'question', input: { type: 'QUESTION', content: 'Which?' } } },
        testing: { invoke: { src: 'test', input: {} } },
      },
    });
    const leaving = new AbortController();
    const ended = runWorkflow(room, machine, { signal: leaving.signal });
    await until('it waits for both', () => listWorkflows(room)[0]?.waitingFor.length === 2);
    const told = waitsOf(room, Date.now() + 150_000).sort();
    expect(told).toEqual([
      expect.stringMatching(/^an answer of bob, asked [23] min ago$/),
      expect.stringMatching(/^the test command, begun [23] min ago$/),
    ]);
    leaving.abort();
    await ended;
    fs.rmSync(cwd, { recursive: true });
  });

  it('names the agents whose mail is waited for, and leaves out what it cannot read', () => {
    const info = (machine: string, value: unknown, context: unknown): WorkflowInfo => ({
      address: `autonomous-dev-loop.${machine}`,
      machine,
      state: { status: 'active', since: 0, snapshot: { value, context } } as unknown as WorkflowState,
      waitingFor: [],
      undelivered: 0,
      host: 1,
    });
    const change = { agent: 'ada', task: { id: 'parser' } };
    const review = {
      round: 1,
      reviewers: ['ben', 'cleo'],
      feedback: [{ round: 1, reviewer: 'ben' }],
      change: { title: 'Parse' },
    };
    const vote = { election: { question: 'Which?', electorate: ['ada', 'ben'] }, ballots: [{ voter: 'ada' }] };
    const loop = {
      plan: { tasks: [{ id: 'parser' }, { id: 'print' }] },
      hands: {},
      toMerge: [],
      changes: [],
      blocked: ['print'],
    };
    const infos = [
      info('autonomous-dev-loop', { working: { building: 'waiting' } }, loop),
      info('change', 'working', change),
      info('change', { reviewing: 'revising' }, change),
      info('change', { reviewing: 'waiting' }, change),
      info('code-review-protocol', 'reviewing', review),
      info('consensus-engine', 'open', vote),
      info('consensus-engine', 'open', { election: null }),
      info('autonomous-dev-loop', 'working', {}),
    ];
    expect(waitsIn(infos, 60_000)).toEqual([
      'somebody to claim parser',
      'ada to hand in parser, since 60 s',
      'ada to hand in parser, since 60 s',
      'a review by cleo of "Parse", since 60 s',
      'votes of ben on "Which?", since 60 s',
    ]);
  });

  it('is printed after each minute of silence, and not while something happens', () => {
    vi.useFakeTimers();
    const said: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
    let lastMs = performance.now();
    const over = new AbortController();
    const waits = Array.from({ length: 8 }, (_, at) => `answer ${at}`);
    keepTelling(() => waits, { since: () => performance.now() - lastMs, signal: over.signal });
    for (let count = 0; count < 5; count++) {
      vi.advanceTimersByTime(50_000);
      lastMs = performance.now();
    }
    expect(said).toEqual([]);
    vi.advanceTimersByTime(65_000);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^ {2}waiting for answer 0\n {14}answer 1\n.*\n {14}and 2 more$/s);
    vi.advanceTimersByTime(130_000);
    expect(said).toHaveLength(3);
    over.abort();
    vi.advanceTimersByTime(600_000);
    expect(said).toHaveLength(3);
  });
});
