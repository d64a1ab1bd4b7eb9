import type { GraphState } from './graph-model.ts';

/** Words that Mermaid, or a renderer that keeps ids as keys of an object, takes for something else than an id. */
const RESERVED = new Set(
  [
    'accdescr acctitle as choice class classdef click concurrent default direction end fork graph hide href join left',
    'note right root scale start state statediagram style styledef subgraph title',
    '__proto__ constructor hasownproperty isprototypeof propertyisenumerable tolocalestring tostring valueof',
  ].flatMap((words) => words.split(' ')),
);
/** Mermaid gives such ids to the `[*]` of a composite state. */
const RESERVED_ENDING = /_(?:start|end)$/;

/** Gives out ids of ASCII letters, digits and `_` that no keyword and no other id equals, whatever the case. */
export function createMermaidIds(): (keys: readonly string[]) => string {
  const taken = new Set<string>();
  return (keys) => {
    const path = keys.map((key) => key.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'unnamed').join('_');
    const safe = /^\d/.test(path) ? `s${path}` : path;
    const lower = safe.toLowerCase();
    const base = RESERVED.has(lower) || RESERVED_ENDING.test(lower) ? `${safe}_state` : safe;
    let id = base;
    for (let number = 2; taken.has(id.toLowerCase()); number++) id = `${base}_${number}`;
    taken.add(id.toLowerCase());
    return id;
  };
}

/** The keys that lead to a state from below the root, or the root's own. */
export function pathOf(state: GraphState): string[] {
  if (!state.parent) return [state.key];
  return state.parent.parent ? [...pathOf(state.parent), state.key] : [state.key];
}

/**
 * Every character that could mean something to Mermaid, Markdown, HTML or KaTeX: all but letters, digits and a few
 * marks; and of these marks those that join or begin something, as in `direction TB` (which Mermaid looks for anywhere
 * in a line), `1. item`, `-->`, `__bold__`, `[text](link)`, `[[fork]]` and `www.example.org`.
 */
const UNSAFE =
  /[^\p{L}\p{M}\p{N} .,()/[\]?!'⚙▶·_-]|(?<=direction) |(?<=^\d+)[.)]|(?<=www)\.|(?<![A-Za-z0-9])[-_]|[-_](?![A-Za-z0-9])|(?<=[[\]])[[(]/giu;

/** The text with entity codes (`#58;` for a colon), so that Mermaid shows it and does nothing else with it. */
export function escapeMermaid(text: string): string {
  return text.replace(UNSAFE, (char) => `#${char.codePointAt(0)};`);
}
