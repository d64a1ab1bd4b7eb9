import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packPackage } from './pack-package.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** This package as npm installs it for all projects, from what `npm pack` packs, and a directory that is in none. */
export interface Installed extends Disposable {
  /** Where the commands lie. */
  readonly bin: string;
  /** The package. */
  readonly directory: string;
  /** An empty directory; nothing above it has packages. */
  readonly empty: string;
  /** Runs a line of shell there, with these directories in front of PATH. */
  shell(line: string, options?: { path?: readonly string[]; env?: Readonly<Record<string, string>> }): Ran;
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function installPackage(): Installed {
  const outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-installed-')));
  const modules = path.join(outer, 'prefix', 'lib', 'node_modules');
  const directory = path.join(modules, 'agent-mailroom');
  const [bin, empty] = [path.join(outer, 'prefix', 'bin'), path.join(outer, 'empty')];
  for (const one of [directory, bin, empty]) fs.mkdirSync(one, { recursive: true });
  execFileSync('tar', ['-xzf', packPackage(outer), '-C', directory, '--strip-components=1']);
  linkDependencies(path.join(directory, 'node_modules'));
  linkCommands(directory, bin);
  return {
    bin,
    directory,
    empty,
    shell: (line, { path: first = [bin], env = {} } = {}) => {
      const PATH = [...first, path.dirname(process.execPath), '/usr/bin', '/bin'].join(':');
      const ran = spawnSync('/bin/sh', ['-c', line], {
        cwd: empty,
        env: { PATH, HOME: outer, ...env },
        encoding: 'utf8',
      });
      return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
    },
    [Symbol.dispose]: () => fs.rmSync(outer, { recursive: true, force: true }),
  };
}

/** What npm installs for this package at the top, with what lies in it, and nothing that only its development needs. */
export function dependencies(): readonly string[] {
  const { packages } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: true; devOptional?: true; peer?: true }>;
  };
  const places = Object.entries(packages).filter(([place, { dev, devOptional, peer }]) => {
    return /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(place) && !(dev || devOptional || peer);
  });
  return places.map(([place]) => place.slice('node_modules/'.length));
}

/** Links what the package depends on, without a registry. */
function linkDependencies(modules: string): void {
  for (const name of dependencies()) {
    fs.mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
}

/** Links the commands of an installed package into a directory, as npm does. */
export function linkCommands(directory: string, bin: string): void {
  const { bin: commands } = JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
  fs.mkdirSync(bin, { recursive: true });
  for (const [name, file] of Object.entries(commands)) fs.symlinkSync(path.join(directory, file), path.join(bin, name));
}
