import path from 'node:path';
import { crashMatrix } from 'agent-mailroom/testing';
import { describe, expect, it } from 'vitest';

const fixture = (name: string): string => path.join(import.meta.dirname, '..', '..', 'fixtures', 'testing', name);

describe('crashMatrix', () => {
  it('finds what a machine keeps in a variable of its module: the run after a kill has a fresh process', async () => {
    const { failures } = await crashMatrix({
      workflows: [{ file: fixture('keeps-in-module.mjs'), address: 'm' }],
      stride: 4,
    });
    expect(failures.flatMap(({ faults }) => faults)).toContain(
      'the result is {"status":"done","output":"forgotten"}, without kills it is {"status":"done","output":"secret"}',
    );
  });
});
