import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fieldsIn, publishJson, readJson, replaceJson } from '../../src/host/json-file.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { failAt } from '../faults/faulty-files.ts';

let directory: string;
beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-json-'))));
afterEach(() => fs.rmSync(directory, { recursive: true }));
const at = (name: string): string => path.join(directory, name);
const read = (name: string, bytesMax = 1_000) => readJson(nodeHost.files, at(name), bytesMax);

describe('a JSON file', () => {
  it('is created by the first writer only, readable by its owner alone', async () => {
    const won = await Promise.all([1, 2, 3].map((n) => publishJson(nodeHost, { path: at('a'), value: { n } })));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(read('a')).toEqual({ fields: { n: won.indexOf(true) + 1 } });
    expect(await publishJson(nodeHost, { path: at('a'), value: { n: 4 } })).toBe(false);
    expect(fs.statSync(at('a')).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(directory)).toEqual(['a']);
  });

  it('is replaced atomically, and staged where it was told to', async () => {
    fs.mkdirSync(at('tmp'));
    await replaceJson(nodeHost, { path: at('a'), value: { n: 1 }, staging: at('tmp') });
    await replaceJson(nodeHost, { path: at('a'), value: { n: 2 }, staging: at('tmp'), indent: 2 });
    expect(fs.readFileSync(at('a'), 'utf8')).toBe('{\n  "n": 2\n}\n');
    expect(fs.readdirSync(at('tmp'))).toEqual([]);
  });

  it('is the old one or the new one after a fault at any call', async () => {
    let faults = 0;
    for (let n = 1, fired = true; fired; n++) {
      fs.writeFileSync(at('a'), '{"n":"old"}\n');
      const faulty = failAt(nodeHost.files, { n, error: 'EIO' });
      const host = { ...nodeHost, files: faulty.files };
      const written = await replaceJson(host, { path: at('a'), value: { n: 'new' } }).then(
        () => true,
        () => false,
      );
      const { n: left } = (read('a') as { fields: { n: string } }).fields;
      expect(written ? ['new'] : ['old', 'new']).toContain(left);
      ({ fired } = faulty);
      if (fired) faults++;
    }
    expect(faults).toBeGreaterThan(3);
  });

  it('is read with its fault, and is undefined if there is none', () => {
    expect(read('a')).toBeUndefined();
    const faults = {
      '[1]': 'not an object',
      null: 'not an object',
      '{"a":': 'not JSON (5 bytes)',
      '': 'not JSON (0 bytes)',
    };
    for (const [text, fault] of Object.entries(faults)) {
      fs.writeFileSync(at('a'), text);
      expect(read('a')).toMatchObject({ fault: expect.stringContaining(fault) as string });
    }
    fs.writeFileSync(at('a'), '{"a":1}');
    expect(read('a', 6)).toEqual({ fault: 'it has 7 bytes, the limit is 6' });
    fs.mkdirSync(at('b'));
    expect(read('b')).toEqual({ fault: 'it is not a regular file (directory)' });
  });

  it('is found in a text', () => {
    expect(fieldsIn('{"a":1}')).toEqual({ a: 1 });
    for (const text of [undefined, '', '{', '[]', 'null', '1', '"a"']) expect(fieldsIn(text)).toBeUndefined();
  });
});
