/**
 * Enough of Mermaid's grammar of state diagrams to check that a text is valid and means what it should. It is stricter
 * than Mermaid: a text must contain nothing that Mermaid, Markdown or HTML could take for markup.
 */
export interface Diagram {
  readonly states: readonly ParsedState[];
  readonly edges: readonly ParsedEdge[];
  readonly classes: ReadonlyMap<string, readonly string[]>;
}

export interface ParsedState {
  readonly id: string;
  readonly title: string;
  /** The id of the state in whose block it is declared. */
  readonly parent: string | undefined;
  /** How many `--` stand before it in that block. */
  readonly section: number;
  readonly lines: string[];
  readonly isComposite: boolean;
  readonly isFork: boolean;
}

export interface ParsedEdge {
  readonly source: string;
  readonly target: string;
  readonly label: string | undefined;
}

const TEXT = String.raw`(?:[^#;:"{}<>%$&*~|\x60\\\p{C}\p{Zl}\p{Zp}]|#\d+;)+`;
const STATE = new RegExp(`^state "(${TEXT})" as (\\w+)( \\{)?$`, 'u');
const FORK = /^state (\w+) <<fork>>$/;
const LINE = new RegExp(`^(\\w+) : (${TEXT})$`, 'u');
const EDGE = new RegExp(`^(\\w+|\\[\\*\\]) --> (\\w+|\\[\\*\\])(?: : (${TEXT}))?$`, 'u');
const CLASS_DEF = /^classDef (\w+) (?:stroke:#[0-9a-f]{6},stroke-width:3px|stroke-dasharray:4 4)$/;
const CLASS = /^class (\w+(?:,\w+)*) (\w+)$/;
/** What the lexer would take for a keyword where an id stands, in any case, and ids that Mermaid makes itself. */
const NO_ID = /^(?:end|note|state|class|classdef|style|default|scale|direction|click|href|root|\d.*|.*_start|.*_end)$/i;
const NO_TEXT = [/direction\s+(?:tb|bt|lr|rl)/i, /^\s*\d+[.)]/, /^\s*[-+=#]/, /\]\(|\[\[/, /__|--|==/, /www\./i, /@\{/];

export function parseDiagram(diagram: string): Diagram {
  const [first, ...lines] = diagram.split('\n');
  if (first !== 'stateDiagram-v2') throw new Error(`no state diagram: ${first}`);
  if (lines.pop() !== '') throw new Error('it does not end in a newline');
  const states = new Map<string, ParsedState>();
  const edges: ParsedEdge[] = [];
  const classes = new Map<string, readonly string[]>();
  const styles = new Set<string>();
  const blocks: { id: string | undefined; section: number }[] = [{ id: undefined, section: 0 }];
  const declare = (state: Pick<ParsedState, 'id' | 'title' | 'isComposite' | 'isFork'>): void => {
    const block = blocks.at(-1);
    if (states.has(state.id)) throw new Error(`${state.id} is declared twice`);
    if (NO_ID.test(state.id)) throw new Error(`${state.id} is no id`);
    states.set(state.id, { ...state, parent: block?.id, section: block?.section ?? 0, lines: [] });
  };
  for (const indented of lines) {
    const line = indented.trimStart();
    if (indented.length - line.length !== blocks.length * 2 - (line === '}' ? 2 : 0))
      throw new Error(`indent: ${line}`);
    const state = STATE.exec(line);
    const fork = FORK.exec(line);
    const description = LINE.exec(line);
    const edge = EDGE.exec(line);
    const style = CLASS_DEF.exec(line);
    const marked = CLASS.exec(line);
    if (state) {
      const isComposite = state[3] !== undefined;
      declare({ id: state[2] ?? '', title: decode(state[1] ?? ''), isComposite, isFork: false });
      if (isComposite) blocks.push({ id: state[2], section: 0 });
    } else if (fork) {
      declare({ id: fork[1] ?? '', title: '', isComposite: false, isFork: true });
    } else if (edge) {
      edges.push({
        source: edge[1] ?? '',
        target: edge[2] ?? '',
        label: edge[3] === undefined ? undefined : decode(edge[3]),
      });
    } else if (description) {
      const described = states.get(description[1] ?? '');
      if (!described || described.isComposite) throw new Error(`described, but no plain state before it: ${line}`);
      described.lines.push(decode(description[2] ?? ''));
    } else if (style) {
      styles.add(style[1] ?? '');
    } else if (marked) {
      if (!styles.has(marked[2] ?? '')) throw new Error(`no such class: ${line}`);
      classes.set(marked[2] ?? '', (marked[1] ?? '').split(','));
    } else if (line === '--' && blocks.length > 1) {
      const block = blocks.at(-1);
      if (block) block.section++;
    } else if (line === '}' && blocks.length > 1) {
      blocks.pop();
    } else {
      throw new Error(`no statement: ${line}`);
    }
  }
  if (blocks.length !== 1) throw new Error('a block is open');
  const ends = [...edges.flatMap(({ source, target }) => [source, target]), ...[...classes.values()].flat()];
  const unknown = ends.find((id) => id !== '[*]' && !states.has(id));
  if (unknown !== undefined) throw new Error(`${unknown} is not declared`);
  return { states: [...states.values()], edges, classes };
}

/** What Mermaid shows of a text. */
function decode(text: string): string {
  const found = NO_TEXT.find((pattern) => pattern.test(text.replace(/#\d+;/g, '§')));
  if (found) throw new Error(`${found} in ${text}`);
  return text.replace(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
}
