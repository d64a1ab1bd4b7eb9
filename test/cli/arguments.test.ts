import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';
import { MailroomError } from '../../src/errors.ts';
import { formatDuration, parseDuration } from '../../src/cli/option-values.ts';
import { commandLine, commandLineWithContent } from '../../src/cli/shell-words.ts';
import { send } from '../../src/cli/commands/send.ts';
import { isClean } from '../../fixtures/zoo/hostile-text.ts';
import { anyCharacter, checkProperty } from '../message/property.ts';

const anyWord = fc
  .string({ unit: anyCharacter, maxLength: 40 })
  .filter((text) => text.isWellFormed() && !text.includes('\0'));

function outcomeOf(words: readonly string[]): string {
  try {
    const { operands, options } = parseArguments(send, words);
    return operands.length <= 3 && options.size <= words.length ? 'parsed' : 'too much';
  } catch (error) {
    return error instanceof MailroomError ? error.code : String(error);
  }
}

describe('the parser', () => {
  it('takes any one word behind the type literally, before and behind options', () => {
    checkProperty(
      'literal content',
      fc.property(
        fc.oneof(
          anyWord.filter((word) => word !== '--'),
          fc.constantFrom('--file', '--help', '-'),
        ),
        (content) => {
          for (const words of [
            ['bob', 'INFO', content],
            ['--needs-ack', 'bob', '--as', 'x', 'INFO', content],
            ['bob', 'INFO', content, '--json', '--data', '{}'],
          ]) {
            expect(parseArguments(send, words).operands).toEqual(['bob', 'INFO', content]);
          }
        },
      ),
      { runs: 500 },
    );
  });

  it('never fails in any other way than by saying what is wrong', () => {
    const word = fc.oneof(
      anyWord,
      fc.constantFrom('--', '-', '--file', '--data', '--json', '--as=', '-x', 'bob', 'INFO'),
    );
    checkProperty(
      'any command line',
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        expect(outcomeOf(words)).toMatch(/^(parsed|INVALID_INPUT)$/);
      }),
      { runs: 1000 },
    );
  });
});

describe('a command line for a shell', () => {
  it('shows nothing that acts on a terminal, and a shell reads the same words from it', () => {
    const shell = 'mailroom() { for word; do printf "%s" "$word" | od -An -v -tx1 | tr -d " \\n"; echo; done; }\n';
    checkProperty(
      'words through sh',
      fc.property(fc.array(anyWord, { minLength: 1, maxLength: 5 }), (words) => {
        const line = commandLine(words);
        expect(isClean(line.replaceAll(/[\n\t]/g, ''))).toBe(true);
        const ran = spawnSync('/bin/sh', ['-c', shell + line], { encoding: 'latin1' });
        const read = ran.stdout
          .split('\n')
          .slice(0, -1)
          .map((hex) => Buffer.from(hex, 'hex').toString('utf8'));
        // A shell drops the line feeds at the end of what printf puts in, which only a content can have.
        expect(read.map((word) => word.replace(/\n+$/, ''))).toEqual(words.map((word) => word.replace(/\n+$/, '')));
      }),
      { runs: 60 },
    );
  });

  it('pipes in a content that no word can carry', () => {
    const shell = 'mailroom() { for word; do [ "$word" = - ] && cat; done; }\n';
    for (const text of ['-', 'a\0b', '\u001b[2J\n\n', `it's\r`]) {
      const line = commandLineWithContent(['send', 'bob', 'INFO', text], { at: 3, text });
      expect(isClean(line)).toBe(true);
      expect(spawnSync('/bin/sh', ['-c', shell + line], { encoding: 'utf8' }).stdout).toBe(text);
    }
    expect(commandLineWithContent(['send', '?'], { at: 1, text: 'x' })).toBe('mailroom send x');
  });
});

describe('times', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('%s are %d ms', (text, ms) => {
    expect(parseDuration(text, { option: 'wait', msMax: 10 ** 9 })).toBe(ms);
  });

  it.each(['5', '5 m', '-5m', '1.5h', '', 'm', '5M', '999999999999d', '٥m'])('%j is none', (text) => {
    expect(() => parseDuration(text, { option: 'wait', msMax: 10 ** 9 })).toThrow(/--wait is .*500ms 30s 5m 2h 1d/);
  });

  it('are shown in the largest unit that fits', () => {
    const shown = [-5, 0, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 10 ** 10].map(formatDuration);
    expect(shown).toEqual(['0s', '0s', '59s', '1m', '59m', '1h', '1d', '115d']);
  });
});
