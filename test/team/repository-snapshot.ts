import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Every file of a repository and its checkouts except objects, with a hash of its content. */
export type Snapshot = ReadonlyMap<string, string>;

/**
 * Reads everything of a person in a repository, byte for byte: HEAD, index, configuration, hooks, refs, reflogs, and the files of
 * the given checkouts. Runs no git, which could change something.
 */
export function snapshot(gitDirectory: string, ...checkouts: readonly string[]): Snapshot {
  const found = new Map<string, string>();
  for (const top of [gitDirectory, ...checkouts]) {
    for (const name of fs.readdirSync(top, { recursive: true, encoding: 'utf8' })) {
      const file = path.join(top, name);
      const isObject = top === gitDirectory ? name.startsWith('objects/') : /^\.git(?:\/|$)/.test(name);
      const facts = fs.lstatSync(file);
      if (isObject || facts.isDirectory()) continue;
      const bytes = facts.isSymbolicLink() ? Buffer.from(fs.readlinkSync(file)) : fs.readFileSync(file);
      found.set(file, `${facts.mode.toString(8)} ${createHash('sha256').update(bytes).digest('hex')}`);
    }
  }
  return found;
}

/** Changed or removed files, and new ones. */
export function compare(before: Snapshot, after: Snapshot): { readonly changed: string[]; readonly added: string[] } {
  const added = [...after.keys()].filter((file) => !before.has(file));
  return { changed: [...before].flatMap(([file, hash]) => (after.get(file) === hash ? [] : [file])), added };
}
