import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../runtime/workflow-room.ts';
import { copyCheckout } from './pack-package.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const WHOLE = fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8');
/** Of the checkout alone: hooks that npm would run, tools, and their settings. */
const OF_THE_CHECKOUT = ['scripts', 'devDependencies', 'prettier', 'knip'];

interface Checkout extends Disposable {
  readonly directory: string;
  readonly manifest: () => string;
}

function makeCheckout(): Checkout {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-pack-'));
  copyCheckout(directory);
  return {
    directory,
    manifest: () => fs.readFileSync(path.join(directory, 'package.json'), 'utf8'),
    [Symbol.dispose]: () => fs.rmSync(directory, { recursive: true }),
  };
}

it('`npm pack --json` prints JSON alone, and packs no hook, tool or setting of the checkout, which it leaves as it was', () => {
  using checkout = makeCheckout();
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--json'], {
    cwd: checkout.directory,
    encoding: 'utf8',
  });
  expect([status, stderr.includes('ERR!')]).toEqual([0, false]);
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  expect(checkout.manifest()).toBe(WHOLE);
  const left = fs.readdirSync(checkout.directory).filter((file) => /^\.package|\.new$/.test(file));
  expect(left).toEqual([]);
  const unpacked = ['-xzOf', path.join(checkout.directory, filename), 'package/package.json'];
  const packed = JSON.parse(spawnSync('tar', unpacked, { encoding: 'utf8' }).stdout) as Record<string, unknown>;
  const whole = JSON.parse(WHOLE) as Record<string, unknown>;
  for (const key of OF_THE_CHECKOUT) delete whole[key];
  expect(packed).toEqual({ ...whole, imports: { '#elk': { default: './dist/third-party/elkjs/elk.cjs' } } });
  const paths = files.map((file) => file.path);
  console.log(`${paths.length} files packed`);
  expect(paths).toEqual(expect.arrayContaining(['machines/poll.ts', 'dist/machines/poll.js', 'LICENSE', 'README.md']));
  expect(paths.filter((file) => /^(?:\.ci|test|fixtures|bench|src|build)\//.test(file))).toEqual([]);
});

it('ships a source for each declaration, where its map says', () => {
  const dist = path.join(ROOT, 'dist');
  const declared = fs
    .readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.d.ts'))
    .map((file) => path.join(dist, file));
  console.log(`${declared.length} declarations looked at`);
  expect(declared.length).toBeGreaterThan(100);
  for (const file of declared) {
    const { sources } = JSON.parse(fs.readFileSync(`${file}.map`, 'utf8')) as { sources: [string] };
    const source = path.join(path.dirname(file), sources[0]);
    expect([sources.length, source, fs.existsSync(source)]).toEqual([
      1,
      expect.not.stringMatching(/package\/src\//),
      true,
    ]);
  }
});

it('gives the manifest back when npm is killed while it packs', async () => {
  using checkout = makeCheckout();
  // Starts the script as npm does, in a shell, and then packs for ever.
  const packer = `require('node:child_process').execSync('node .ci/pack-manifest.mjs trim'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', packer], { cwd: checkout.directory, stdio: 'ignore' });
  try {
    const trimmed = (): boolean => checkout.manifest() !== WHOLE;
    await eventually('it is trimmed', trimmed);
    expect(JSON.parse(checkout.manifest())).not.toHaveProperty('scripts');
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await eventually('it is whole', () => checkout.manifest() === WHOLE);
});

it('takes the whole manifest where the trimmed one was left behind, with nobody to put it back', () => {
  using checkout = makeCheckout();
  const kept = path.join(checkout.directory, '.package.whole.json');
  fs.writeFileSync(kept, WHOLE);
  fs.writeFileSync(path.join(checkout.directory, 'package.json'), '{ "name": "agent-mailroom", "version": "0.0.0" }');
  for (const command of ['trim', 'restore']) {
    const { status } = spawnSync(process.execPath, ['.ci/pack-manifest.mjs', command], { cwd: checkout.directory });
    expect(status).toBe(0);
  }
  expect([checkout.manifest(), fs.existsSync(kept)]).toEqual([WHOLE, false]);
});

it('refuses to pack what was not built', () => {
  using checkout = makeCheckout();
  fs.rmSync(path.join(checkout.directory, 'dist'), { recursive: true });
  const { status, stderr } = spawnSync('npm', ['pack'], { cwd: checkout.directory, encoding: 'utf8' });
  expect([status, stderr]).toEqual([expect.any(Number), expect.stringContaining('Build it first: npm ci')]);
  expect([status === 0, checkout.manifest()]).toEqual([false, WHOLE]);
});
