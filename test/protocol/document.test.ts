import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { MessageType } from '../../src/message/message-type.ts';
import { DEFAULT_LIMITS, LIMIT_MAXIMA } from '../../src/room/limits.ts';
import { readVectors } from './vectors.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const text = fs.readFileSync(path.join(ROOT, 'docs', 'protocol.md'), 'utf8');
const source = (file: string): string => fs.readFileSync(path.join(ROOT, 'src', file), 'utf8');

/** The members of a union of string literals, as written in its declaration. */
function membersOf(file: string, type: string): string[] {
  const declaration = new RegExp(`export type ${type} =([^;]+);`).exec(source(file))?.[1] ?? '';
  return [...declaration.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? '');
}

test('the document has every limit with its default', () => {
  const documented = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, names = '', values = ''] = line.split('|').map((cell) => cell.trim());
    if (!/^`\w+`(?:, `\w+`)*$/.test(names) || !/^[\d, ]+$/.test(values)) continue;
    const numbers = values.split(',').map(Number);
    for (const [index, match] of [...names.matchAll(/`(\w+)`/g)].entries()) {
      documented.set(match[1] ?? '', numbers[index] ?? Number.NaN);
    }
  }
  expect(Object.fromEntries(documented)).toEqual(DEFAULT_LIMITS);
});

test('the document has the maximum of every limit', () => {
  const [, maxima = ''] = /The maxima:([^]+?)\n\n/.exec(text) ?? [];
  const documented = [...maxima.matchAll(/(\d+)[^`\d]*((?:`\w+`(?:,\s| and\s)?)+)/g)].flatMap(([, most, names = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => [name, Number(most)]),
  );
  expect(Object.fromEntries(documented)).toEqual(LIMIT_MAXIMA);
});

test('the document names every reason of a refusal and every event of the log', () => {
  const reasons = membersOf('message/message.ts', 'RefusalReason');
  const events = membersOf('log/event-log.ts', 'LogEvent');
  expect(reasons.length).toBeGreaterThan(15);
  expect(events.length).toBeGreaterThan(15);
  // A sender reports its own message as too large before there is a file.
  const missing = reasons.filter((reason) => reason !== 'too-large' && !text.includes(`\`${reason}\``));
  expect(missing).toEqual([]);
  const [, listed = ''] = /Events are `([^`]+)`/.exec(text.replace(/\s+/g, ' ')) ?? [];
  expect(listed.split(' ').sort()).toEqual(events.sort());
});

test('the document names every common type and every field of an envelope', () => {
  const { cases } = readVectors().messages['hmac-sha256'];
  const whole = cases.find(({ what }) => what === 'every field');
  const file = JSON.parse(Buffer.from(whole?.bytesBase64 ?? '', 'base64').toString()) as { signed: object };
  const words = [...Object.values(MessageType), ...Object.keys(file.signed)];
  expect(words.length).toBe(7 + 13);
  expect(words.filter((word) => !text.includes(`\`${word}\``))).toEqual([]);
});

test('the document names every file and directory that the library uses', () => {
  const names = [...source('message/layout.ts').matchAll(/\}\/([\w.-]+)`/g)].map((match) => match[1] ?? '');
  // The journal and the jobs of workflows are not part of sending and reading mail.
  const missing = names.filter((name) => !['journal', 'jobs'].includes(name) && !text.includes(name));
  expect(names.length).toBeGreaterThan(15);
  expect(missing).toEqual([]);
});
