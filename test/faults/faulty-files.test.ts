import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { createFile, createFileSynced } from '../../src/host/files.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { countCalls, failAt, shortWriteAt } from './faulty-files.ts';

const scratch = scratchDirectories('faulty');
const BYTES = Buffer.from('0123456789');

describe('a faulty file system', () => {
  it('numbers every call from 1 and names it', async () => {
    const file = path.join(scratch(), 'a');
    const counted = countCalls(nodeFileSystem);
    await createFileSynced(counted.files, file, BYTES, 0o600);
    expect(counted.steps).toEqual(['open', 'write', 'fsync', 'close'].map((name) => `${name} ${file}`));
    expect(counted.fired).toBe(false);
  });

  it.each([
    { n: 1, left: undefined },
    { n: 2, left: '' },
    { n: 3, left: '0123456789' },
    { n: 4, left: '0123456789' },
  ])('fails at call $n with an errno, in place of the work', async ({ n, left }) => {
    const file = path.join(scratch(), 'a');
    const faulty = failAt(nodeFileSystem, { n, error: 'EIO' });
    await expect(createFileSynced(faulty.files, file, BYTES, 0o600)).rejects.toMatchObject({ code: 'EIO' });
    expect(faulty.fired).toBe(true);
    expect(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined).toBe(left);
  });

  it('fails after the work was done, and from then on', () => {
    const directory = scratch();
    const after = failAt(nodeFileSystem, { n: 2, error: 'EIO', when: 'after' });
    expect(() => createFile(after.files, path.join(directory, 'a'), BYTES, 0o600)).toThrow('EIO');
    expect(fs.readFileSync(path.join(directory, 'a'), 'utf8')).toBe('0123456789');
    const lasting = failAt(nodeFileSystem, { n: 3, error: 'ENOSPC', lasting: true });
    for (const name of ['b', 'c']) {
      expect(() => createFile(lasting.files, path.join(directory, name), BYTES, 0o600)).toThrow('ENOSPC');
    }
    expect(fs.readFileSync(path.join(directory, 'b'), 'utf8')).toBe('0123456789');
    expect(fs.existsSync(path.join(directory, 'c'))).toBe(false);
  });

  it('writes short without an error', () => {
    for (const [bytes, written] of [
      [undefined, 5],
      [0, 0],
      [3, 3],
      [-1, 9],
      [99, 10],
    ] as const) {
      const file = path.join(scratch(), 'a');
      const faulty = shortWriteAt(nodeFileSystem, { n: 2, ...(bytes === undefined ? {} : { bytes }) });
      const fd = faulty.files.open(file, fs.constants.O_CREAT | fs.constants.O_WRONLY, 0o600);
      expect(faulty.files.write(fd, BYTES, 0, BYTES.length)).toBe(written);
      faulty.files.close(fd);
      expect(fs.statSync(file).size).toBe(written);
    }
  });
});
