import { z } from 'zod';

const short = z.string().max(500);
const commit = z.string().regex(/^[0-9a-f]{7,64}$/, 'expected the id of a commit');

const offers = z.array(z.object({ id: short, epoch: z.number() })).default([]);

const work = z.object({
  taskId: short,
  epoch: z.number().int(),
  title: z.string(),
  description: z.string(),
  files: z.array(z.string()).default([]),
  workspace: z.object({ directory: z.string(), branch: short }),
});

/** What the distribution of the tasks tells: the data of its INFOs. */
export const news = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('available'), tasks: offers }),
  z.object({ kind: z.literal('refused'), taskId: short, tasks: offers }),
  z.object({ kind: z.literal('done'), taskId: short, tasks: offers }),
  z.object({ kind: z.literal('lost'), taskId: short, epoch: z.number(), tasks: offers }),
  z.object({ kind: z.literal('development-ended') }),
  work.extend({ kind: z.literal('start') }),
  work.extend({ kind: z.literal('rework'), feedback: z.string() }),
]);

export type News = z.output<typeof news>;
export type Offers = z.output<typeof offers>;
/** A task that is to be done now, or once more. */
export type Work = Extract<News, { kind: 'start' | 'rework' }>;
export type Rework = Extract<News, { kind: 'rework' }>;

/** What a reviewer is asked about. */
export const reviewRequest = z.object({
  change: z.object({
    title: z.string(),
    author: z.string(),
    description: z.string().default(''),
    branch: short.default(''),
    base: commit,
    commit,
  }),
  round: z.number().int(),
});

export type ReviewRequest = z.output<typeof reviewRequest>;

export const ballot = z.object({ options: z.array(short).min(1), electorate: z.array(z.string()) });

/** Research or a plan; any other question is answered, too. */
export const inquiry = z.object({ replySchema: z.unknown().optional() }).catch({});

/** The thread of the mind in which a task is worked on. */
export function threadOfTask({ taskId, epoch }: Work): string {
  return `task ${taskId}, epoch ${epoch}`;
}
