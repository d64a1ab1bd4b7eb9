import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasWord, parsePs, pidsNamed } from '../../src/host/platform/bsd-output.ts';

const recorded = (name: string): string =>
  fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/bsd', name), 'utf8');

test('a line of ps is a process, with days of one digit, a blank state, and pids of any width', () => {
  const rows = parsePs(recorded('ps.txt'));
  expect([...rows.keys()]).toEqual([1, 310, 811, 812, 900, 901, 902, 903, 99_998]);
  expect(rows.get(811)).toEqual({
    pid: 811,
    parent: 310,
    group: 811,
    startTime: 'Mon Jan 5 09:03:07 2026',
    isEnded: false,
    leadsSession: true,
    command: '',
  });
  const leaders = [...rows.values()].filter(({ leadsSession }) => leadsSession).map(({ pid }) => pid);
  expect(leaders).toEqual([1, 310, 811, 901, 99_998]);
  expect([...rows.values()].filter(({ isEnded }) => isEnded).map(({ pid }) => pid)).toEqual([902]);
  expect(rows.get(99_998)?.startTime).toBe('Wed Dec 31 23:59:59 2025');
});

test('no name of a process makes a line, and a mark is a whole word', () => {
  const rows = parsePs(recorded('ps-environment.txt'));
  expect([...rows.keys()]).toEqual([811, 900, 901, 902, 903, 904, 905]);
  expect(rows.get(903)?.command).toBe('(a) Z    9 (b)');
  const marked = (mark: string): number[] =>
    [...rows.values()].filter((row) => hasWord(row, mark)).map(({ pid }) => pid);
  expect(marked('MAILROOM_JOB=1.1.1/1')).toEqual([900, 901, 904, 905]);
  expect(marked('MAILROOM_JOB=1.1.1/10')).toEqual([901]);
  expect(marked('MAILROOM_JOB=1.1.1/')).toEqual([]);
});

test('a reused pid has another start time, from the next second on', () => {
  const started = (text: string): string | undefined =>
    parsePs(`    7     1     7 S    Mon Jan  5 09:05:${text} 2026`).get(7)?.startTime;
  expect([started('01'), started('02')]).toEqual(['Mon Jan 5 09:05:01 2026', 'Mon Jan 5 09:05:02 2026']);
});

test('output that ps encodes never looks like another process, whatever a program calls itself', () => {
  const asPsPrints = (text: string): string =>
    // oxlint-disable-next-line no-control-regex -- strvis(3): these are what it encodes
    text.replaceAll(/[\u0000-\u001F\u007F]/g, (one) => `^${String.fromCodePoint((one.codePointAt(0) ?? 0) ^ 64)}`);
  const word = fc.oneof(
    fc.string({ unit: 'binary-ascii' }),
    fc.constantFrom('\n', '    1     0     1 Ss   Fri Jan  2 08:00:09 2026'),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      const line = `   42     7    42 Ss   Mon Jan  5 09:05:01 2026     ${asPsPrints(words.join(''))}`;
      expect([...parsePs(`${line}\n`).keys()]).toEqual([42]);
    }),
  );
});

test('other lines are skipped', () => {
  const texts = ['', 'ps: illegal option -- E\n', '  PID  PPID  PGID STAT STARTED', '    7     1     7 S    gestern'];
  for (const text of texts) expect(parsePs(text).size, text).toBe(0);
});

test('lsof matches processes by more than the beginning of their name', () => {
  expect(pidsNamed('p12\nccodex\nfcwd\np13\nccodex-helper\nfcwd\np14\nccodex\nfcwd\n', 'codex')).toEqual([12, 14]);
  expect(pidsNamed('', 'codex')).toEqual([]);
});
