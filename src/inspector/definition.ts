import { durableWorkOf } from '../workflow/activity.ts';

const DEPTH_MAX = 100;
/** Of the machine itself and no state: what it remembers, and values that only types and checks need. */
const HIDDEN = new Set(['context', 'schemas', 'types']);

type Node = Record<string, unknown>;

/**
 * A machine as the inspector draws it: its configuration as JSON, functions by their names, and added to it whatever state or
 * transition the journal shows beyond that. Where the configuration is not known, all of it comes from the journal.
 */
export class InspectedDefinition {
  readonly #root: Node;
  /** Whether it comes from code and not from the journal. */
  readonly isConfigured: boolean;
  #text: string | undefined;

  /** `config` is what `createMachine` was given; `id` stands in for one. */
  constructor(config: unknown, { id, withContext }: { id: string; withContext: boolean }) {
    this.isConfigured = typeof config === 'object' && config !== null;
    this.#root = this.isConfigured ? (copyRoot(config as Node, withContext) as Node) : newNode({ id });
  }

  /** JSON; it changes when something was added. */
  get text(): string {
    return (this.#text ??= JSON.stringify(this.#root));
  }

  /** Makes sure that the states of this value are in it. */
  see(value: unknown, { isEnd }: { isEnd: boolean }): void {
    if (this.#add(this.#root, value, isEnd && !this.isConfigured)) this.#text = undefined;
  }

  /** Makes sure, where the configuration is not known, that it shows how one value followed the other. */
  seeTransition(from: unknown, to: unknown, eventType: string): void {
    if (!this.isConfigured && addTransition(this.#root, { from, to, eventType })) this.#text = undefined;
  }

  #add(node: Node, value: unknown, isEnd: boolean): boolean {
    const parts = partsOf(value);
    if (parts.length === 0) return false;
    let isNews = false;
    const set = (on: Node, name: string, to: unknown): void => {
      if (on[name] === to) return;
      on[name] = to;
      isNews = true;
    };
    if (parts.length > 1) {
      set(node, 'type', 'parallel');
      delete node['initial'];
    } else if (node['type'] !== 'parallel' && node['initial'] === undefined) {
      set(node, 'initial', parts[0]?.[0]);
    }
    const states = childNode(node, 'states');
    for (const [key, below] of parts) {
      if (!Object.hasOwn(states, key)) set(states, key, newNode());
      const state = states[key] as Node;
      if (isEnd && below === undefined && parts.length === 1) set(state, 'type', 'final');
      if (this.#add(state, below, false)) isNews = true;
    }
    return isNews;
  }
}

/** The keys of a state value at this level, and what is below each. */
function partsOf(value: unknown): [string, unknown][] {
  if (typeof value === 'string') return [[value, undefined]];
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** Adds `on: { <event>: <target> }` at the highest states that differ. */
function addTransition(
  node: Node,
  { from, to, eventType }: { from: unknown; to: unknown; eventType: string },
): boolean {
  const [before, after] = [partsOf(from), new Map(partsOf(to))];
  const states = node['states'] as Node | undefined;
  const [only] = before;
  if (!states || !only) return false;
  if (before.length === 1 && after.size === 1 && !after.has(only[0])) {
    const [target = ''] = after.keys();
    return addTarget(childNode(states[only[0]] as Node, 'on'), eventType, target);
  }
  let isNews = false;
  for (const [key, below] of before) {
    if (!after.has(key) || below === undefined) continue;
    if (addTransition(states[key] as Node, { from: below, to: after.get(key), eventType })) isNews = true;
  }
  return isNews;
}

function addTarget(on: Node, eventType: string, target: string): boolean {
  const targets = (Object.hasOwn(on, eventType) ? on[eventType] : []) as { target: string }[];
  if (targets.some((one) => one.target === target)) return false;
  on[eventType] = [...targets, { target }];
  return true;
}

function childNode(node: Node, name: string): Node {
  const found = node[name];
  if (typeof found === 'object' && found !== null) return found as Node;
  const made = newNode();
  node[name] = made;
  return made;
}

/** Without a prototype, so that a state may have any name. */
function newNode(content: Node = {}): Node {
  return Object.assign(Object.create(null) as Node, content);
}

function copyRoot(config: Node, withContext: boolean): unknown {
  const shown = Object.entries(config).filter(
    ([name, value]) => !HIDDEN.has(name) || (name === 'context' && withContext && typeof value !== 'function'),
  );
  return copy(newNode(Object.fromEntries(shown)), []);
}

/** The value as JSON: functions as `{ type: <name> }`, as the package itself writes them, actor logic as a name. */
function copy(value: unknown, above: readonly unknown[]): unknown {
  if (typeof value === 'function') return { type: value.name === '' ? '(anonymous)' : value.name };
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (above.includes(value) || above.length > DEPTH_MAX) return undefined;
  const name = logicName(value);
  if (name !== undefined) return name;
  const inner = [...above, value];
  if (Array.isArray(value)) return value.map((one) => copy(one, inner) ?? null);
  if ('toJSON' in value && typeof value.toJSON === 'function') return copy(value.toJSON(), inner);
  const node = newNode();
  for (const [key, part] of Object.entries(value)) {
    const copied = copy(part, inner);
    if (copied !== undefined) node[key] = copied;
  }
  return node;
}

/** What stands for actor logic that was written where a name could be: a machine has its own context within. */
function logicName(value: object): string | undefined {
  if ('__xstatenode' in value) return 'id' in value ? String(value.id) : 'machine';
  if (!('transition' in value) || typeof value.transition !== 'function') return undefined;
  return durableWorkOf(value)?.kind ?? 'actor';
}
