import { z } from 'zod';

const TASKS_MAX = 100;
const ID_CHARS_MAX = 60;
const LINE_CHARS_MAX = 200;
const DESCRIPTION_CHARS_MAX = 8_000;
const LIST_MAX = 200;
/** A plan travels in a message to a workflow that distributes it for another one. */
const PLAN_CHARS_MAX = 200_000;
const SHAPE = 'A plan is {"tasks":[{"id":"…","title":"…","description":"…","files":["…"],"dependsOn":["…"]}]}';

const ID = /^[a-z0-9][a-z0-9-]*$/;
const line = z
  .string()
  .trim()
  .min(1)
  .max(LINE_CHARS_MAX)
  .refine((text) => !/[\p{Cc}\u2028\u2029]/u.test(text), 'expected one line');

const taskSchema = z.strictObject({
  id: z.string().max(ID_CHARS_MAX).regex(ID, 'expected small letters, digits and hyphens, such as csv-quoting'),
  title: line,
  /** What is to be done, for whoever does it. */
  description: z.string().trim().min(1).max(DESCRIPTION_CHARS_MAX),
  /** Those that it is likely to change. */
  files: z.array(line).max(LIST_MAX).default([]),
  /** The ids of the tasks that have to be done before. */
  dependsOn: z
    .array(z.string())
    .max(LIST_MAX)
    .transform((ids) => [...new Set(ids)])
    .default([]),
  skills: z.array(line).max(LIST_MAX).default([]),
});

const planSchema = z.strictObject({ tasks: z.array(taskSchema).min(1).max(TASKS_MAX) });

/** A piece of development work, as a plan has it. */
export type TaskInput = z.input<typeof taskSchema>;
export type PlanInput = z.input<typeof planSchema>;

/** The same, complete and checked. */
export type Task = z.output<typeof taskSchema>;
export interface Plan {
  readonly tasks: readonly Task[];
}

/**
 * A plan from a value, or from text that is JSON or has a block of JSON in it, as a planner answers. Throws a TypeError
 * that names every fault on one line: what has another shape, ids that come twice, unknown dependencies with the nearest
 * id, and tasks that wait for each other with the path.
 */
export function parsePlan(given: unknown): Plan {
  const value = typeof given === 'string' ? jsonIn(given) : given;
  const faults = [...shapeFaults(planSchema.safeParse(value), 'plan'), ...planFaults(nodesIn(value))];
  if (JSON.stringify(value ?? null).length > PLAN_CHARS_MAX) faults.push(`it has over ${PLAN_CHARS_MAX} characters`);
  if (faults.length > 0) throw new TypeError(`This is no plan: ${faults.join('; ')}. ${SHAPE}`);
  return planSchema.parse(value);
}

/** Further tasks for a plan whose tasks have the ids `known`. Throws as `parsePlan` does. */
export function parseTasks(tasks: unknown, known: readonly string[]): readonly Task[] {
  const value = { tasks };
  const faults = [...shapeFaults(planSchema.safeParse(value), 'added'), ...planFaults(nodesIn(value), known)];
  if (Array.isArray(tasks) && tasks.length + known.length > TASKS_MAX) faults.push(`it takes ${TASKS_MAX} tasks`);
  if (faults.length > 0) throw new TypeError(`These are no tasks to add: ${faults.join('; ')}. ${SHAPE}`);
  return planSchema.parse(value).tasks;
}

function shapeFaults({ error }: z.ZodSafeParseResult<Plan>, name: string): string[] {
  return (error?.issues ?? []).map(({ path, message }) => `${[name, ...path].join('.')}: ${message}`);
}

/** Whatever can be looked at of the tasks, so that a plan with one field amiss has its other faults named as well. */
function nodesIn(value: unknown): Node[] {
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
  throw new TypeError(`This is no plan: expected JSON, alone or in a block between lines of \`\`\`. ${SHAPE}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What of a task decides whether a plan can be worked off. */
export interface Node {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/**
 * Everything because of which these tasks can never all be done, a line each: ids that come twice, dependencies that
 * nobody knows, tasks that wait for themselves or for each other. `known` are the ids of tasks that are there already.
 */
export function planFaults(nodes: readonly Node[], known: readonly string[] = []): string[] {
  const ids = nodes.map(({ id }) => id);
  const all = [...known, ...ids];
  const twice = new Set(ids.filter((id, at) => all.indexOf(id) !== known.length + at));
  return [
    ...[...twice].map((id) => `the id ${JSON.stringify(id)} is there more than once`),
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

/** Each as its path, `a → b → a`; at least one through every set of tasks that wait for each other. */
function cyclesOf(nodes: readonly Node[]): string[][] {
  const dependencies = new Map(nodes.map(({ id, dependsOn }) => [id, dependsOn]));
  const finished = new Set<string>();
  const cycles: string[][] = [];
  const visit = (id: string, path: readonly string[]): void => {
    const at = path.indexOf(id);
    if (at >= 0) {
      // One that waits for itself has a fault of its own.
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
/** A name that shares hardly a letter is no suggestion, however short both are. */
const DISTANCE_SHARE_MAX = 0.6;

/** The candidate most like `wanted`, for a did-you-mean; undefined when none is near. */
export function nearest(wanted: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate) }))
    .filter(({ candidate, distance }) => {
      const share = distance / Math.max(wanted.length, candidate.length);
      return distance <= DISTANCE_MAX && share < DISTANCE_SHARE_MAX;
    });
  return ranked.toSorted((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** Levenshtein's: insert, delete and replace each count one. */
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
