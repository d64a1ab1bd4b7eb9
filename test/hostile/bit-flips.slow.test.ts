import fs from 'node:fs';
import { expect, test } from 'vitest';
import { envelope, idAt, sealed, type Forge } from '../../fixtures/zoo/forge.ts';
import { isTried, KILL_STRIDE } from '../processes/stride.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { countBy, openZoo, readAll, reasonsIn, refusedIn } from './zoo-room.ts';

const BITS = 8;

/** One message that uses most fields, and the position of each byte in its file. */
function specimen(forge: Forge): { id: string; bytes: Buffer; regionOf: (at: number) => string } {
  const id = idAt(Date.now());
  const content = 'Grüße, "quoted" and \\ all';
  const signed = Buffer.from(JSON.stringify(envelope(forge, { id, content, data: { n: 1 }, needsAck: true })));
  const regions = [
    '{"signed":',
    signed,
    ',"signature":{"keyId":"',
    'k'.repeat(16),
    '","value":"',
    'v'.repeat(64),
    '"}}',
  ];
  const kinds = ['frame', 'signed', 'frame', 'key id', 'frame', 'value', 'frame'];
  const kindAt = regions.flatMap((region, index) => Array.from({ length: region.length }, () => kinds[index] ?? ''));
  const bytes = sealed(forge, { from: 'alice', signed });
  expect(kindAt).toHaveLength(bytes.length);
  return { id, bytes, regionOf: (at) => kindAt[at] ?? '' };
}

function flipped(bytes: Buffer, { at, bit }: { at: number; bit: number }): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}

/** The expected reason of the refusal, computed without the library. */
function reasonOf(region: string, byte: number): string {
  const isHex = /[0-9a-f]/.test(String.fromCharCode(byte));
  if (region === 'signed' || (region === 'value' && isHex)) return 'bad-signature';
  return region === 'key id' && isHex ? 'unknown-key' : 'bad-frame';
}

/** Of each byte one bit, and in the long set all. */
const ALL_BITS = Array.from({ length: BITS }, (_, bit) => bit);
const bitsAt = (at: number): number[] => choice(ALL_BITS, (bit) => bit === (at + SEED) % BITS);

test('a message with any one bit flipped is refused under a fresh name', async () => {
  await using zoo = await openZoo();
  const { bytes, regionOf } = specimen(zoo.forge);
  const expected = new Map<string, string>();
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of bitsAt(at)) {
      const file = flipped(bytes, { at, bit });
      const name = `${idAt(Date.now())}.alice.json`;
      fs.writeFileSync(`${zoo.mailbox.new}/${name}`, file);
      expected.set(name, reasonOf(regionOf(at), file[at] ?? 0));
    }
  }
  expect(await readAll(zoo.bob)).toEqual([]);
  const kept = [...refusedIn(zoo.mailbox)].map(([name, { reason }]) => [name, reason] as const);
  expect(new Map(kept)).toEqual(expected);
  console.log(`${expected.size} flips: ${JSON.stringify(countBy(expected.values()))}`);
});

test('a message with any byte changed is refused under its own name, and the genuine one still arrives', async () => {
  await using zoo = await openZoo();
  const { id, bytes, regionOf } = specimen(zoo.forge);
  const expected: string[] = [];
  const place = (file: Buffer): void => fs.writeFileSync(`${zoo.mailbox.new}/${id}.alice.json`, file);
  for (let at = 0; at < bytes.length; at++) {
    if (!isTried(at, KILL_STRIDE)) continue;
    const file = flipped(bytes, { at, bit: at % BITS });
    place(file);
    expected.push(reasonOf(regionOf(at), file[at] ?? 0));
    expect(await readAll(zoo.bob)).toEqual([]);
  }
  for (let length = 0; length < bytes.length; length++) {
    if (length > 0 && !isTried(length, KILL_STRIDE)) continue;
    place(bytes.subarray(0, length));
    expected.push('bad-frame');
    expect(await readAll(zoo.bob)).toEqual([]);
  }
  const reasons = reasonsIn(zoo.mailbox.refused).map(({ reason }) => reason);
  expect(countBy(reasons)).toEqual(countBy(expected));
  place(bytes);
  expect(await readAll(zoo.bob)).toMatchObject([{ id }]);
  console.log(`${expected.length} changed or cut short: ${JSON.stringify(countBy(expected))}`);
});
