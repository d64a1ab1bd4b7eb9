import { durableWorkOf } from '../workflow/activity.ts';

const DEPTH_MAX = 100;
/** Members of a machine that are not states: its context, and values that only types and checks need. */
const HIDDEN = new Set(['context', 'schemas', 'types']);

type DefinitionNode = Record<string, unknown>;

/**
 * A machine as the inspector draws it: its configuration as JSON, with functions by name, plus every state or transition that only
 * the journal shows. If the configuration is unknown, all of it comes from the journal.
 */
export class InspectedDefinition {
  readonly #root: DefinitionNode;
  /** Whether it comes from the machine's configuration, not only from the journal. */
  readonly isConfigured: boolean;
  #text: string | undefined;

  /** `config` is what `createMachine` was given, or anything else if unknown; then the definition has this `id`. */
  constructor(config: unknown, { id, withContext }: { id: string; withContext: boolean }) {
    this.isConfigured = typeof config === 'object' && config !== null;
    this.#root = this.isConfigured
      ? (copyRoot(config as DefinitionNode, withContext) as DefinitionNode)
      : newNode({ id });
  }

  /** The definition as JSON; it changes when something is added. */
  get text(): string {
    return (this.#text ??= JSON.stringify(this.#root));
  }

  /** Adds the states of this state value, if they are missing. */
  see(value: unknown, { isEnd }: { isEnd: boolean }): void {
    if (this.#add(this.#root, value, isEnd && !this.isConfigured)) this.#text = undefined;
  }

  /** Adds the transition from one state value to another, if the configuration is unknown. */
  seeTransition(from: unknown, to: unknown, eventType: string): void {
    if (!this.isConfigured && addTransition(this.#root, { from, to, eventType })) this.#text = undefined;
  }

  #add(node: DefinitionNode, value: unknown, isEnd: boolean): boolean {
    const parts = partsOf(value);
    if (parts.length === 0) return false;
    let isChanged = false;
    const set = (on: DefinitionNode, name: string, to: unknown): void => {
      if (on[name] === to) return;
      on[name] = to;
      isChanged = true;
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
      const state = states[key] as DefinitionNode;
      if (isEnd && below === undefined && parts.length === 1) set(state, 'type', 'final');
      if (this.#add(state, below, false)) isChanged = true;
    }
    return isChanged;
  }
}

/** The keys of a state value at this level, and what is below each. */
function partsOf(value: unknown): [string, unknown][] {
  if (typeof value === 'string') return [[value, undefined]];
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** Adds `on: { <event>: <target> }` at the highest states that differ. */
function addTransition(
  node: DefinitionNode,
  { from, to, eventType }: { from: unknown; to: unknown; eventType: string },
): boolean {
  const [before, after] = [partsOf(from), new Map(partsOf(to))];
  const states = node['states'] as DefinitionNode | undefined;
  const [only] = before;
  if (!states || !only) return false;
  if (before.length === 1 && after.size === 1 && !after.has(only[0])) {
    const [target = ''] = after.keys();
    return addTarget(childNode(states[only[0]] as DefinitionNode, 'on'), eventType, target);
  }
  let isChanged = false;
  for (const [key, below] of before) {
    if (!after.has(key) || below === undefined) continue;
    if (addTransition(states[key] as DefinitionNode, { from: below, to: after.get(key), eventType })) isChanged = true;
  }
  return isChanged;
}

function addTarget(on: DefinitionNode, eventType: string, target: string): boolean {
  const targets = (Object.hasOwn(on, eventType) ? on[eventType] : []) as { target: string }[];
  if (targets.some((one) => one.target === target)) return false;
  on[eventType] = [...targets, { target }];
  return true;
}

function childNode(node: DefinitionNode, name: string): DefinitionNode {
  const found = node[name];
  if (typeof found === 'object' && found !== null) return found as DefinitionNode;
  const made = newNode();
  node[name] = made;
  return made;
}

/** A node without a prototype, so that a state may have any name. */
function newNode(content: DefinitionNode = {}): DefinitionNode {
  return Object.assign(Object.create(null) as DefinitionNode, content);
}

function copyRoot(config: DefinitionNode, withContext: boolean): unknown {
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

/** A name that stands for inline actor logic, which is not copied because a machine has its own context within. */
function logicName(value: object): string | undefined {
  if ('__xstatenode' in value) return 'id' in value ? String(value.id) : 'machine';
  if (!('transition' in value) || typeof value.transition !== 'function') return undefined;
  return durableWorkOf(value)?.kind ?? 'actor';
}
