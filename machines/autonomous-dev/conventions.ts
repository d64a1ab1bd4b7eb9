import { cut } from 'agent-mailroom/workflow';
import { git, gitList } from './git.ts';
import type { Repository } from './repository.ts';

/** Where repositories say how they want to be worked on. */
const FILES = ['AGENTS.md', 'CLAUDE.md', 'CONTRIBUTING.md', '.github/CONTRIBUTING.md', 'docs/CONTRIBUTING.md'];
const CHARS_MAX = 4_000;

/** What a repository says about how it wants to be worked on. */
export interface Convention {
  readonly file: string;
  /** The beginning of it. */
  readonly text: string;
}

/** The conventions of a repository, from the commit that the run starts from: what agents write later gives no orders. */
export async function conventionsOf({ directory, base }: Repository, signal?: AbortSignal): Promise<Convention[]> {
  const inMain = { directory, signal };
  const listed = await gitList(['ls-tree', '-z', base, '--', ...FILES], inMain);
  const blobs = listed.flatMap((entry) => {
    // A link to another of them says nothing new.
    const [, id = '', file = ''] = /^100\d+ blob (\w+)\t(.*)$/s.exec(entry) ?? [];
    return file === '' ? [] : [{ id, file }];
  });
  const different = blobs.filter(({ id }, at) => blobs.findIndex((one) => one.id === id) === at);
  const found: Convention[] = [];
  for (const { id, file } of different) {
    const text = (await git(['cat-file', 'blob', id], inMain)).trim();
    if (text !== '') found.push({ file, text: cut(text, { charsMax: CHARS_MAX }) });
  }
  return found;
}

/** The conventions and commands of a repository, for whoever is asked to research or plan; each line quoted. */
export function conventionsText(
  conventions: readonly Convention[],
  { setup, testCommand }: { readonly setup: string | undefined; readonly testCommand: string },
): string[] {
  const quoted = conventions.flatMap(({ file, text }) => [
    '',
    `The repository says in ${file}:`,
    '',
    ...text.split('\n').map((line) => `> ${line}`.trimEnd()),
  ]);
  const ready = setup === undefined ? '' : ` It is set up already (${setup}).`;
  return [`Its tests are run by: ${testCommand}.${ready}`, ...quoted];
}
