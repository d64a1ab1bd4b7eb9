import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const TESTS = path.join(import.meta.dirname, '..');
const NAMED = /`([a-z-]+\/[\w.-]+\.test\.ts)`/g;

it('names in test/README.md only tests that exist', () => {
  const named = Array.from(
    fs.readFileSync(path.join(TESTS, 'README.md'), 'utf8').matchAll(NAMED),
    ([, file = '']) => file,
  );
  console.log(`${named.length} tests named for promises`);
  expect(named.length).toBeGreaterThan(80);
  expect(named.filter((file) => !fs.existsSync(path.join(TESTS, file)))).toEqual([]);
});
