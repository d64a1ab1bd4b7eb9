import { expect, test } from 'vitest';
import { allOrThrow } from '../../src/host/files.ts';

test('all have ended before the first failure is thrown', async () => {
  const ended: string[] = [];
  const work = async (name: string, turns: number, isFailing = false): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    ended.push(name);
    if (isFailing) throw new Error(name);
  };
  await expect(allOrThrow([work('slow', 30), work('first', 20, true), work('second', 1, true)])).rejects.toThrow(
    'first',
  );
  expect(ended).toEqual(['second', 'first', 'slow']);
  await expect(allOrThrow([])).resolves.toBeUndefined();
});
