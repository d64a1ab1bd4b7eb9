import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import loadWabt from 'wabt';
import type * as NodeCrypto from '../../src/host/node-crypto.ts';
import { SHA256_MODULE } from '../../src/host/sha256-module.ts';
import type * as Sha256 from '../../src/host/sha256.ts';

const BUDGET_BYTES = 64 * 1024;
const SOURCE = path.join(import.meta.dirname, '../../src/host/sha256.wat');

const expected = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');

/** The calls to node:crypto. */
let asked = 0;

/** The module as a new process loads it. */
async function fresh(): Promise<typeof Sha256> {
  vi.resetModules();
  const { nodeCrypto } = await vi.importActual<typeof NodeCrypto>('../../src/host/node-crypto.ts');
  vi.doMock('../../src/host/node-crypto.ts', () => ({
    nodeCrypto: () => {
      asked += 1;
      return nodeCrypto();
    },
  }));
  return import('../../src/host/sha256.ts');
}

beforeEach(() => {
  asked = 0;
  return () => vi.doUnmock('../../src/host/node-crypto.ts');
});

test('the loaded module is what its source compiles to', async () => {
  const wabt = await loadWabt();
  const { buffer } = wabt.parseWat('sha256.wat', fs.readFileSync(SOURCE, 'utf8')).toBinary({});
  expect(SHA256_MODULE).toBe(Buffer.from(buffer).toString('base64'));
});

test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  [
    'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
    'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1',
  ],
])('it gives the digest that FIPS 180 expects of %j', async (text, digest) => {
  const { sha256, sha256Hex } = await fresh();
  expect(sha256Hex(text)).toBe(digest);
  expect(sha256(Buffer.from(text)).toString('hex')).toBe(digest);
  expect(asked).toBe(0);
});

test('it hashes every length up to five blocks as node:crypto does, whatever was hashed before', async () => {
  let { sha256 } = await fresh();
  let hashed = 0;
  for (let length = 0; length <= 320; length++) {
    // Long before and short after: nothing of an earlier message may count as padding.
    for (const data of [randomBytes(320 - length), randomBytes(length)]) {
      if ((hashed += data.length + 64) > BUDGET_BYTES - 1_000) {
        ({ sha256 } = await fresh());
        hashed = data.length + 64;
      }
      expect(sha256(data).toString('hex')).toBe(expected(data));
    }
  }
  expect(asked).toBe(0);
});

test('a text is hashed in UTF-8, and a returned digest stays unchanged', async () => {
  const { sha256, sha256Hex } = await fresh();
  const first = sha256('déjà vu 🦀');
  const kept = first.toString('hex');
  expect(kept).toBe(expected('déjà vu 🦀'));
  expect(sha256Hex('\ud800 alone')).toBe(expected('\ud800 alone'));
  expect(first.toString('hex')).toBe(kept);
  expect(asked).toBe(0);
});

test('node:crypto takes over once there is much to hash, and for data larger than the memory', async () => {
  const { sha256, sha256Hex } = await fresh();
  const data = randomBytes(1_000);
  let alone = 0;
  for (let round = 0; round < 100; round++) {
    expect(sha256(data).toString('hex')).toBe(expected(data));
    if (asked === 0) alone += 1;
  }
  expect(alone).toBe(Math.floor((BUDGET_BYTES - 1) / 1_064));
  console.log(`${alone} hashes of 1,000 bytes before node:crypto`);

  for (const length of [BUDGET_BYTES - 1024 - 72 - 1, BUDGET_BYTES - 1024 - 72, BUDGET_BYTES - 1024 - 71, 300_000]) {
    const large = randomBytes(length);
    const again = await fresh();
    expect(again.sha256Hex(large)).toBe(expected(large));
    expect(sha256Hex(large)).toBe(expected(large));
  }
});

test('without WebAssembly node:crypto hashes', async () => {
  const { sha256Hex } = await fresh();
  vi.stubGlobal('WebAssembly', undefined);
  try {
    expect(sha256Hex('abc')).toBe(expected('abc'));
    expect(asked).toBe(1);
  } finally {
    vi.unstubAllGlobals();
  }
  expect(sha256Hex('abcd')).toBe(expected('abcd'));
});
