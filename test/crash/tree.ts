import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { Ended } from '../processes/child.ts';

/** What lies below a directory, by its path there: the bytes of a file, and `directory` for one. */
export type Tree = Readonly<Record<string, string>>;

/** Every name and byte below a directory. The path of the directory itself is `<room>` in it, wherever a file names it. */
export function treeOf(directory: string): Tree {
  const tree: Record<string, string> = {};
  const add = (at: string): void => {
    for (const entry of fs.readdirSync(path.join(directory, at), { withFileTypes: true })) {
      const name = path.posix.join(at, entry.name);
      if (entry.isDirectory()) {
        tree[name] = 'directory';
        add(name);
      } else {
        const text = fs.readFileSync(path.join(directory, name), 'latin1');
        tree[name] = `file ${text.replaceAll(directory, '<room>')}`;
      }
    }
  };
  if (fs.existsSync(directory)) add('');
  return tree;
}

/** Two directories have the same names and bytes. */
export function expectSameTree(killed: string, simulated: string): void {
  expect(treeOf(killed), 'what SIGKILL leaves').toEqual(treeOf(simulated));
}

/** A process that was really killed, or ended, as a simulated one did, had told the same until then, a line each. */
export function expectSame(
  { stdout, signal }: Ended,
  simulated: { readonly told: readonly unknown[]; readonly wasKilled: boolean },
): void {
  expect(stdout.split('\n').filter(Boolean)).toEqual(simulated.told.map(String));
  expect(signal).toBe(simulated.wasKilled ? 'SIGKILL' : null);
}
