import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Every file of a repository and of its checkouts that is not an object, with a hash of what is in it. */
export type Snapshot = ReadonlyMap<string, string>;

/**
 * Reads what a person has in a repository, byte for byte: HEAD, index, configuration, hooks, refs, reflogs, and the files of
 * the given checkouts. Nothing of git is run for it, because that could change something.
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

/** What was changed or removed, and what is new. */
export function compare(before: Snapshot, after: Snapshot): { readonly changed: string[]; readonly added: string[] } {
  const added = [...after.keys()].filter((file) => !before.has(file));
  return { changed: [...before].flatMap(([file, hash]) => (after.get(file) === hash ? [] : [file])), added };
}
