import { z } from 'zod';

const TASKS_MAX = 100;
const ID_CHARS_MAX = 60;
const LINE_CHARS_MAX = 200;
const DESCRIPTION_CHARS_MAX = 8_000;
const LIST_MAX = 200;
/** A plan must fit into the message that starts a distribution for a parent. */
const PLAN_CHARS_MAX = 200_000;
const SHAPE =
  'Expected, for example: {"tasks":[{"id":"…","title":"…","description":"…","files":["…"],"dependsOn":["…"]}]}';

const ID = /^[a-z0-9][a-z0-9-]*$/;
const line = z
  .string()
  .trim()
  .min(1)
  .max(LINE_CHARS_MAX)
  .refine((text) => !/[\p{Cc}\u2028\u2029]/u.test(text), 'expected one line');

const taskSchema = z.object({
  id: z.string().max(ID_CHARS_MAX).regex(ID, 'expected lower-case letters, digits and hyphens, such as csv-quoting'),
  title: line,
  /** What is to be done, for the agent that does it. */
  description: z.string().trim().min(1).max(DESCRIPTION_CHARS_MAX),
  /** The files that the task is likely to change. */
  files: z.array(line).max(LIST_MAX).default([]),
  /** The ids of the tasks that must be done first. */
  dependsOn: z
    .array(z.string())
    .max(LIST_MAX)
    .transform((ids) => [...new Set(ids)])
    .default([]),
  skills: z.array(line).max(LIST_MAX).default([]),
});

const planSchema = z.object({ tasks: z.array(taskSchema).min(1).max(TASKS_MAX) });

/** A piece of development work in a plan. */
export type TaskInput = z.input<typeof taskSchema>;
export type PlanInput = z.input<typeof planSchema>;

/** A task after validation, with defaults filled in. */
export type Task = z.output<typeof taskSchema>;
export interface Plan {
  readonly tasks: readonly Task[];
}

/**
 * A plan from a value, or from a planner's answer: JSON, or text with a block of JSON. Unknown keys are left out, see
 * `unknownKeys`. Throws a TypeError that lists all faults on one line: wrong shapes, duplicate ids, unknown dependencies with the
 * nearest id, and dependency cycles with their path.
 */
export function parsePlan(given: unknown): Plan {
  const value = typeof given === 'string' ? jsonIn(given) : given;
  const faults = [...shapeFaults(planSchema.safeParse(value), 'plan'), ...planFaults(nodesIn(value))];
  if (JSON.stringify(value ?? null).length > PLAN_CHARS_MAX) faults.push(`it has over ${PLAN_CHARS_MAX} characters`);
  if (faults.length > 0) throw new TypeError(`Invalid plan: ${faults.join('; ')}. ${SHAPE}`);
  return planSchema.parse(value);
}

/** What `parsePlan` leaves out of a plan that it accepts, one text per key, with the key that may be meant. */
export function unknownKeys(given: unknown): string[] {
  const value = typeof given === 'string' ? jsonIn(given) : given;
  const { tasks = [] } = (value ?? {}) as { readonly tasks?: readonly unknown[] };
  return [
    ...unknownIn(value, Object.keys(planSchema.shape), 'plan'),
    ...tasks.flatMap((task, at) => unknownIn(task, Object.keys(taskSchema.shape), `plan.tasks.${at}`)),
  ];
}

function unknownIn(value: unknown, known: readonly string[], where: string): string[] {
  const unknown = Object.keys(value ?? {}).filter((key) => !known.includes(key));
  return unknown.map((key) => {
    const near = nearest(key.replaceAll(/[_-]/g, '').toLowerCase(), known);
    return `${where}.${key} is unknown and was ignored${near === undefined ? '' : ` (did you mean ${near}?)`}`;
  });
}

/** Tasks to add to a plan whose tasks have the ids `known`. Throws as `parsePlan` does. */
export function parseTasks(tasks: unknown, known: readonly string[]): readonly Task[] {
  const value = { tasks };
  const faults = [...shapeFaults(planSchema.safeParse(value), 'added'), ...planFaults(nodesIn(value), known)];
  if (Array.isArray(tasks) && tasks.length + known.length > TASKS_MAX) faults.push(`more than ${TASKS_MAX} tasks`);
  if (faults.length > 0) throw new TypeError(`Invalid tasks: ${faults.join('; ')}. ${SHAPE}`);
  return planSchema.parse(value).tasks;
}

function shapeFaults({ error }: z.ZodSafeParseResult<Plan>, name: string): string[] {
  return (error?.issues ?? []).map(({ path, message }) => `${[name, ...path].join('.')}: ${message}`);
}

/** The ids and dependencies that can be read, so that one malformed field does not hide the other faults of a plan. */
function nodesIn(value: unknown): TaskNode[] {
  const loose = z.looseObject({ id: z.string(), dependsOn: z.array(z.string()).catch([]) });
  const tasks = z.looseObject({ tasks: z.array(z.unknown()).max(TASKS_MAX) }).safeParse(value).data?.tasks ?? [];
  return tasks.flatMap((task) => loose.safeParse(task).data ?? []);
}

function jsonIn(text: string): unknown {
  const blocks = [...text.matchAll(/^```\w*[^\S\n]*\n(.*?)^```/gmsu)].map(([, block = '']) => block);
  for (const candidate of [text, ...blocks]) {
    const parsed = jsonOf(candidate);
    if (parsed !== undefined) return parsed;
  }
  throw new TypeError(`Invalid plan: expected JSON, alone or in a block between lines of \`\`\`. ${SHAPE}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The part of a task that decides whether all tasks of a plan can be done. */
export interface TaskNode {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/**
 * Why these tasks can never all be done, one text per fault: duplicate ids, unknown dependencies, tasks that depend on
 * themselves or on each other. `known` are the ids of existing tasks.
 */
export function planFaults(nodes: readonly TaskNode[], known: readonly string[] = []): string[] {
  const ids = nodes.map(({ id }) => id);
  const all = [...known, ...ids];
  const twice = new Set(ids.filter((id, at) => all.indexOf(id) !== known.length + at));
  return [
    ...[...twice].map((id) => `the id ${JSON.stringify(id)} is used more than once`),
    ...nodes.flatMap(({ id, dependsOn }) =>
      [...new Set(dependsOn)]
        .filter((other) => other === id || !all.includes(other))
        .map((other) => dependencyFault(id, other, all)),
    ),
    ...cyclesOf(nodes).map((cycle) => `these wait for each other: ${cycle.join(' → ')}`),
  ];
}

function dependencyFault(id: string, other: string, all: readonly string[]): string {
  if (other === id) return `${JSON.stringify(id)} depends on itself`;
  const near = nearest(
    other,
    all.filter((one) => one !== id),
  );
  const hint = near === undefined ? '' : ` (did you mean ${JSON.stringify(near)}?)`;
  return `${JSON.stringify(id)} depends on ${JSON.stringify(other)}, which is no task${hint}`;
}

/** Each cycle as its path, `a → b → a`; at least one through every set of tasks that wait for each other. */
function cyclesOf(nodes: readonly TaskNode[]): string[][] {
  const dependencies = new Map(nodes.map(({ id, dependsOn }) => [id, dependsOn]));
  const finished = new Set<string>();
  const cycles: string[][] = [];
  const visit = (id: string, path: readonly string[]): void => {
    const at = path.indexOf(id);
    if (at >= 0) {
      // A task that depends on itself is a fault of its own.
      if (path.length - at > 1) cycles.push([...path.slice(at), id]);
      return;
    }
    if (finished.has(id)) return;
    for (const other of new Set(dependencies.get(id))) visit(other, [...path, id]);
    finished.add(id);
  };
  for (const { id } of nodes) visit(id, []);
  return cycles;
}

const DISTANCE_MAX = 3;
/** Two short names that share hardly a message are within the distance, but no suggestion. */
const DISTANCE_SHARE_MAX = 0.6;

/** The candidate nearest to `wanted`, for a did-you-mean; undefined if none is near. */
export function nearest(wanted: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate) }))
    .filter(({ candidate, distance }) => {
      const share = distance / Math.max(wanted.length, candidate.length);
      return distance <= DISTANCE_MAX && share < DISTANCE_SHARE_MAX;
    });
  return ranked.toSorted((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** The Levenshtein distance: insert, delete and replace cost 1 each. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
