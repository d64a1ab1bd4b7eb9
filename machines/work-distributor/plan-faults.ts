import { nearest } from './nearest.ts';

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
