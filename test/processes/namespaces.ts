import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { CliRoom, Ran } from '../cli/cli-room.ts';

/** Starts a shell line in a PID namespace of its own. */
export interface Namespace {
  readonly title: string;
  /** The program and its words, in front of `sh -c <line>`. */
  readonly words: readonly string[];
  /** Where the project lies in there, when that is another place than here. */
  readonly project?: string;
}

const UNSHARE = ['unshare', '--kill-child', '--pid', '--fork', '--mount-proc'];
const AS_USER = ['--user', '--map-root-user'];
/** Where a container has the project. */
const MOUNTED = '/mnt';

const works = (words: readonly string[]): boolean =>
  spawnSync(words[0] ?? '', [...words.slice(1), 'sh', '-c', 'true']).status === 0;

/** With the rights of root, or as a user who may make namespaces. */
const unshare = works(UNSHARE) ? UNSHARE : [...UNSHARE.slice(0, 1), ...AS_USER, ...UNSHARE.slice(1)];
const bwrap = ['bwrap', '--die-with-parent', '--unshare-pid', '--dev-bind', '/', '/', '--proc', '/proc'];

/** Two kinds of sandboxes, and containers, which have the room at another path as well. */
export const NAMESPACES: readonly Namespace[] = [
  { title: 'sandboxes of unshare', words: unshare },
  { title: 'sandboxes of bubblewrap', words: bwrap },
  { title: 'containers', words: [...unshare, '--mount', '--uts', '--ipc'], project: MOUNTED },
];

/** Whether to skip a test: the tool is missing, or the machine forbids it, and nobody promised that it is there. */
export function skipWithout({ words }: Namespace): boolean {
  return !works(words) && process.env['MAILROOM_CI'] === undefined;
}

const quote = (text: string): string => `'${text}'`;

function lineIn(room: CliRoom, { project }: Namespace, line: string): string {
  if (project === undefined) return `cd ${quote(room.directory)} && ${line}`;
  return `mount --bind ${quote(room.directory)} ${project} && cd ${project} && ${line}`;
}

/** Runs a line of shell, in which `mailroom` is a command, in a fresh namespace of this kind. */
export function runIn(room: CliRoom, namespace: Namespace, line: string): Promise<Ran> {
  const { words } = namespace;
  const all = [...words, 'sh', '-c', lineIn(room, namespace, line)].map(quote).join(' ');
  return room.shell(all);
}

/** The same without waiting for its end; killed, it takes all of the namespace with it. */
export function startIn(
  room: CliRoom,
  namespace: Namespace,
  line: string,
): { readonly child: ChildProcess; readonly told: () => string } {
  const [file = '', ...words] = namespace.words;
  const child = spawn(file, [...words, 'sh', '-c', lineIn(room, namespace, line)], {
    cwd: path.dirname(room.directory),
    env: { ...room.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (told += text));
  return { child, told: () => told };
}
