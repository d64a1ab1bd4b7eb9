/** Each way to watch a tree; that of macOS and Windows is tested with Node's emulation of it on other systems. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchingOn } from '../../src/host/node-watching.ts';
import { until } from '../hostile/until.ts';

const MODULE = path.join(import.meta.dirname, '../../dist/runtime.js');

let root: string;
const closes: (() => Promise<void>)[] = [];
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-tree-')));
  for (const directory of ['a/new', 'a/done', 'a/journal'])
    fs.mkdirSync(path.join(root, directory), { recursive: true });
});
afterEach(async () => {
  for (const close of closes.splice(0)) await close();
  fs.rmSync(root, { recursive: true, force: true });
});

describe.each(['linux', 'darwin', 'win32', 'freebsd'] as const)('a tree watched as on %s', (platform) => {
  async function watchRoot(
    concerns?: (directory: string) => boolean,
  ): Promise<{ hints: string[]; failures: string[] }> {
    const hints: string[] = [];
    const failures: string[] = [];
    const watching = watchingOn(platform);
    const onHint = (changed: string): unknown => hints.push(path.relative(root, changed));
    closes.push(await watching.tree(root, onHint, (reason) => failures.push(reason), concerns));
    return { hints, failures };
  }

  /** Nothing tells when a watcher has begun, so the change is repeated until it is reported. */
  async function untilHinted(hints: readonly string[], name: string, change: () => void): Promise<void> {
    await until(
      () => `a hint of ${name}; hints of ${hints.join(', ')}`,
      () => {
        if (hints.some((one) => one === name || one.startsWith(`${name}${path.sep}`))) return true;
        change();
        return false;
      },
    );
  }

  it('reports new files, growing files, and files in directories that were added later', async () => {
    const { hints, failures } = await watchRoot();
    let count = 0;
    await untilHinted(hints, 'a/new', () => fs.writeFileSync(path.join(root, `a/new/${count++}`), 'x'));
    const journal = path.join(root, 'a/journal/1.jsonl');
    await untilHinted(hints, 'a/journal/1.jsonl', () => fs.writeFileSync(journal, ''));
    hints.length = 0;
    await untilHinted(hints, 'a/journal/1.jsonl', () => fs.appendFileSync(journal, 'x'));
    fs.mkdirSync(path.join(root, 'b/new'), { recursive: true });
    await untilHinted(hints, 'b/new', () => fs.writeFileSync(path.join(root, `b/new/${count++}`), 'x'));
    expect(failures).toEqual([]);
  });

  it('reports no file in a directory that does not concern it', async () => {
    const { hints } = await watchRoot((directory) => path.basename(directory) !== 'done');
    let count = 0;
    await untilHinted(hints, 'a/new', () => {
      fs.writeFileSync(path.join(root, `a/done/${count}`), 'x');
      fs.writeFileSync(path.join(root, `a/new/${count++}`), 'x');
    });
    expect(hints.filter((one) => one.startsWith('a/done/'))).toEqual([]);
  });

  it('reports nothing after it was closed', async () => {
    const { hints } = await watchRoot();
    let count = 0;
    await untilHinted(hints, 'a/new', () => fs.writeFileSync(path.join(root, `a/new/${count++}`), 'x'));
    await closes.pop()?.();
    hints.length = 0;
    const other = await watchRoot();
    await untilHinted(other.hints, 'a/new', () => fs.writeFileSync(path.join(root, `a/new/${count++}`), 'x'));
    expect(hints).toEqual([]);
  });
});

it('a tree is polled without a crash if the environment says so, as in many containers', async () => {
  vi.stubEnv('CHOKIDAR_USEPOLLING', '1');
  vi.stubEnv('CHOKIDAR_INTERVAL', '20');
  try {
    const hints: string[] = [];
    const failures: string[] = [];
    const onHint = (changed: string): unknown => hints.push(path.relative(root, changed));
    closes.push(await watchingOn('linux').tree(root, onHint, (reason) => failures.push(reason)));
    let count = 0;
    await until(
      () => `a hint of a/new; hints of ${hints.join(', ')}`,
      () => {
        if (hints.includes(path.join('a', 'new'))) return true;
        fs.writeFileSync(path.join(root, `a/new/${count++}`), 'x');
        return false;
      },
    );
    expect(failures).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
  }
});

it.each(['darwin', 'win32'] as const)(
  'a tree that cannot be watched as on %s is one failure and no crash',
  async (platform) => {
    const failures: string[] = [];
    const close = await watchingOn(platform).tree(
      path.join(root, 'nowhere'),
      () => {},
      (reason) => failures.push(reason),
    );
    await close();
    expect(failures).toEqual(['ENOENT']);
  },
);

/** A user namespace has a limit of its own (namespaces(7)), so nothing else on this machine is affected. */
const UNSHARE = 'unshare';
const LIMITED = ['-r', 'sh', '-c', 'echo 2 > /proc/sys/user/max_inotify_watches && exec "$@"', 'sh'];
const canLimit = spawnSync(UNSHARE, [...LIMITED, 'true']).status === 0;

it.runIf(canLimit)('says once that the system has no more watches, whatever the number of directories', () => {
  for (let count = 0; count < 20; count++) fs.mkdirSync(path.join(root, `b${count}`));
  const program = `
    import { nodeHost } from ${JSON.stringify(MODULE)};
    const failures = [];
    const close = await nodeHost.watching.tree(${JSON.stringify(root)}, () => {}, (reason) => failures.push(reason));
    while (failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    // At least as long again as the watcher took to get here.
    await new Promise((resolve) => setTimeout(resolve, 200));
    console.log(failures.join());
    await close();
  `;
  const args = [...LIMITED, process.execPath, '--input-type=module', '-e', program];
  expect(execFileSync(UNSHARE, args, { encoding: 'utf8' })).toBe('ENOSPC\n');
});
