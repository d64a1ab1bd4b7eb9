import path from 'node:path';
import { crashMatrix, type CrashMatrixOptions } from 'agent-mailroom/testing';
import { expect, test } from 'vitest';
import { printReport } from '../runtime/train-world.ts';

const SEED = Number(process.env['MAILROOM_SEED'] ?? Date.now() % 2 ** 31);
const MACHINES = path.join(import.meta.dirname, '..', '..', 'machines');

type Agents = NonNullable<CrashMatrixOptions['agents']>;

/** Votes once, when asked. */
const voter =
  (option: string): Agents[string] =>
  async ({ message }, me) => {
    if (message.type !== 'QUESTION') return;
    await me.send({ to: message.from, type: 'VOTE', content: `${option} because of what stands in file.ts:1` });
  };

/** Asks for a change in the first round, and approves in the second. */
const reviewer: Agents[string] = async ({ message }, me) => {
  if (message.type !== 'REVIEW-REQUEST') return;
  const { round } = message.data as { round: number };
  const data =
    round === 1
      ? { verdict: 'request-changes', round, issues: [{ description: 'It lacks a test' }] }
      : { verdict: 'approve', round };
  await me.send({ to: message.from, type: 'REVIEW-FEEDBACK', content: data.verdict, data });
};

const author: Agents[string] = async ({ message }, me) => {
  if (message.type === 'QUESTION') await me.send({ to: message.from, type: 'COMPLETED', content: 'now with a test' });
};

/** Claims the first offered task and does it. */
const worker: Agents[string] = async ({ message }, me) => {
  const { kind, tasks, taskId, epoch } = message.data as {
    kind?: string;
    tasks?: { id: string }[];
    taskId?: string;
    epoch?: number;
  };
  const [first] = tasks ?? [];
  if (kind === 'available' && first) await me.send({ to: message.from, type: 'CLAIM', content: first.id });
  if (kind === 'start')
    await me.send({ to: message.from, type: 'COMPLETED', content: `done:${taskId}`, data: { taskId, epoch } });
};

const SYSTEMS: readonly (CrashMatrixOptions & { readonly name: string })[] = [
  {
    name: 'consensus',
    workflows: [
      {
        file: path.join(MACHINES, 'consensus.ts'),
        address: 'vote',
        input: {
          question: 'Which one?',
          options: [{ id: 'this' }, { id: 'that' }],
          electorate: ['alice', 'bob', 'carol'],
          algorithm: 'simple-majority',
          seconds: 600,
        },
      },
    ],
    agents: { alice: voter('this'), bob: voter('that'), carol: voter('this') },
  },
  {
    name: 'code review',
    workflows: [
      {
        file: path.join(MACHINES, 'code-review.ts'),
        address: 'review',
        input: { change: { title: 'Quotes', author: 'alice' }, reviewers: ['bob'] },
      },
    ],
    agents: { alice: author, bob: reviewer },
  },
  {
    name: 'work distribution',
    workflows: [
      {
        file: path.join(MACHINES, 'work-distributor.ts'),
        address: 'work',
        input: {
          plan: {
            tasks: [
              { id: 'parser', title: 'Parse', description: 'Parse it.' },
              { id: 'report', title: 'Report', description: 'Print it.', dependsOn: ['parser'] },
            ],
          },
          agents: ['alice'],
        },
      },
    ],
    agents: { alice: worker },
  },
];

/** Ids of messages, and of issues, which begin with the end of a message's id. */
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{8}(?=\.\d)/g;

test.each(SYSTEMS)(
  '$name, killed at every call and at pairs of calls, ends like the run that nobody killed',
  async (system) => {
    const report = await crashMatrix({
      ...system,
      compares: (result) => JSON.stringify(result).replace(ID, 'an id'),
      pairs: 30,
      seed: SEED,
    });
    printReport(system.name, report);
    expect(report.failures).toEqual([]);
    expect(report.kills).toBeGreaterThan(report.schedules * 0.9);
  },
);
