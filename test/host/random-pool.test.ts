import { expect, test } from 'vitest';
import { createRandomPool, drawRandomBytes } from '../../src/host/node-random.ts';

/** Counts up through all the bytes it ever returns, so that a byte handed out twice shows. */
function countingSource(): { draw: (length: number) => Buffer; drawn: number[] } {
  let next = 0;
  const drawn: number[] = [];
  const draw = (length: number): Buffer => {
    drawn.push(length);
    const bytes = Buffer.alloc(length);
    for (let index = 0; index + 4 <= length; index += 4) bytes.writeUInt32BE(next++, index);
    return bytes;
  };
  return { draw, drawn };
}

test('no byte of the system is handed out twice, and bytes handed out stay unchanged', () => {
  const { draw, drawn } = countingSource();
  const random = createRandomPool({ drawPool: draw, drawKey: draw });
  const given = Array.from({ length: 2_000 }, (_, index) => random([4, 8, 12, 24][index % 4] ?? 4));
  const words = given.flatMap((bytes) =>
    Array.from({ length: bytes.length / 4 }, (_, word) => bytes.readUInt32BE(word * 4)),
  );
  expect(new Set(words).size).toBe(words.length);
  expect(drawn.length).toBeLessThan(given.length / 100);
  console.log(`${words.length} words from ${drawn.length} draws`);
});

test('a key is drawn separately', () => {
  const { draw, drawn } = countingSource();
  const random = createRandomPool({ drawPool: draw, drawKey: draw });
  random(12);
  expect(random(32)).toHaveLength(32);
  expect(drawn.at(-1)).toBe(32);
});

test('the source of the pool differs each time, and sets each bit about half of the time', () => {
  const draws = Array.from({ length: 64 }, () => drawRandomBytes(4_096));
  expect(new Set(draws.map((bytes) => bytes.toString('hex'))).size).toBe(draws.length);
  for (let bit = 0; bit < 8; bit++) {
    let set = 0;
    for (const bytes of draws) for (const byte of bytes) set += (byte >> bit) & 1;
    // Of 262,144 bits the share that is set is 0.5, with a standard deviation of 0.001.
    expect(set / (64 * 4_096)).toBeCloseTo(0.5, 1);
  }
});
