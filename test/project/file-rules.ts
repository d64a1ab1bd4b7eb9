import { posix } from 'node:path';
import { importersOf, type Sources } from './import-rules.ts';
import { isInComment, lineAt } from './imports.ts';

const LINES_MAX = 400;
/** A shorter file with one importer in its folder belongs into that importer. */
const CRUMB_LINES = 40;
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/;
/** Names that say nothing, so that anything ends up in such files. */
const EMPTY_NAMES = ['common', 'helper', 'helpers', 'manager', 'misc', 'types', 'util', 'utils'];

interface Ban {
  readonly call: RegExp;
  readonly instead: string;
  /** Layers that may make the call. */
  readonly allowedIn?: readonly string[];
}

const BANS: readonly Ban[] = [
  {
    call: /\bprocess\.(?:exit|reallyExit|abort)\s*\(/g,
    instead: 'return, and let cli set process.exitCode',
    allowedIn: ['host'],
  },
  { call: /\bconsole\.\w+\s*\(/g, instead: 'the streams that the command was given' },
  { call: /\bDate\.now\s*\(|\bnew Date\(\s*\)/g, instead: 'host.clock.now()', allowedIn: ['host'] },
  { call: /\bMath\.random\s*\(|\bcrypto\.random\w+\s*\(/g, instead: 'host.randomBytes()', allowedIn: ['host'] },
  { call: /\b(?:setTimeout|setInterval)\s*\(/g, instead: 'host.clock.sleep()', allowedIn: ['host'] },
  { call: /\bprocess\.(?:kill|binding|getBuiltinModule)\s*\(/g, instead: 'a port of host', allowedIn: ['host'] },
];

const KEY_PRESS = /send-(?:keys|prefix)|paste-buffer|TIOCSTI/gi;

/** Every place that could press a key in another program's terminal, which may take it for an answer. */
export function keyPresses(sources: Sources): string[] {
  return [...sources].flatMap(([path, source]) =>
    [...source.matchAll(KEY_PRESS)].map((match) => `${path}:${lineAt(source, match.index)} has ${match[0]}`),
  );
}

/** Every file below `src` that is too long, badly named, or makes a banned call, one sentence each. */
export function fileViolations(sources: Sources): string[] {
  return [...sources].flatMap(([path, source]) => [
    ...nameFaults(path),
    ...lengthFaults(path, source),
    ...banFaults(path, source),
  ]);
}

/** Every file so short that its only importer, in the same folder, should hold it, by its path; with the importer. */
export function crumbs(sources: Sources): ReadonlyMap<string, string> {
  const importers = importersOf(sources);
  return new Map(
    [...sources]
      .filter(([path, source]) => linesOf(source) < CRUMB_LINES && isAlone(path, importers.get(path) ?? []))
      .map(([path]) => [path, importers.get(path)?.[0] ?? '']),
  );
}

/** The same without exceptions that have a reason, one sentence each; also for an exception that is none any more. */
export function crumbViolations(sources: Sources, exceptions: Readonly<Record<string, string>>): string[] {
  const found = crumbs(sources);
  return [
    ...[...found]
      .filter(([path]) => !Object.hasOwn(exceptions, path))
      .map(([path, importer]) => `${path} has under ${CRUMB_LINES} lines and one importer: merge it into ${importer}`),
    ...Object.keys(exceptions)
      .filter((path) => !found.has(path))
      .map((path) => `${path} needs no exception any more`),
  ];
}

function isAlone(path: string, importers: readonly string[]): boolean {
  const [only, other] = importers;
  return only !== undefined && other === undefined && posix.dirname(only) === posix.dirname(path);
}

export const linesOf = (source: string): number => source.replace(/\n$/, '').split('\n').length;

/** Every file that is too long, one sentence each. */
export function longFiles(sources: Sources): string[] {
  return [...sources].flatMap(([path, source]) => lengthFaults(path, source));
}

function nameFaults(path: string): string[] {
  const name = path.split('/').at(-1) ?? path;
  const folders = path.split('/').slice(0, -1);
  const empty = [...folders, name.replace(/\.ts$/, '')].find((part) => EMPTY_NAMES.includes(part));
  if (empty) return [`${path}: "${empty}" names no idea; name the file by the one thing it holds`];
  return KEBAB_CASE.test(name) ? [] : [`${path}: file names are kebab-case and end in .ts`];
}

function lengthFaults(path: string, source: string): string[] {
  const lines = linesOf(source);
  return lines > LINES_MAX ? [`${path}: ${lines} lines, the limit is ${LINES_MAX}; give each idea a file`] : [];
}

function banFaults(path: string, source: string): string[] {
  const layer = path.split('/')[0] ?? path;
  return BANS.filter(({ allowedIn }) => !allowedIn?.includes(layer)).flatMap(({ call, instead }) =>
    [...source.matchAll(call)]
      .filter((match) => !isInComment(source, match.index))
      .map((match) => `${path}:${lineAt(source, match.index)} calls ${match[0]}: use ${instead}`),
  );
}
