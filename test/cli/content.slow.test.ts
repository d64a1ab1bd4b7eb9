import fc from 'fast-check';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCliRoom, type CliRoom, type RunOptions } from './cli-room.ts';
import { anyCharacter } from '../message/property.ts';

let room: CliRoom;
beforeAll(async () => {
  room = await createCliRoom();
});
afterAll(() => room[Symbol.dispose]());

/** What bob gets when alice gives these words behind `send`. */
async function arrived(words: readonly string[], options: RunOptions = {}): Promise<unknown> {
  const sent = await room.run(['send', ...words], { as: 'alice', ...options });
  if (sent.code !== 0) return sent;
  const read = (await room.json(['read', '--max-bytes', '1000000'], { as: 'bob' })) as { content: string }[];
  return read.map(({ content }) => content);
}

it('takes the word behind the type as it is, whatever it looks like', async () => {
  const contents = ['-x', '--help me', '--help', '-h', '--json', '--as', '@file', '-', '--file', '--data={}'];
  const said = contents.filter((one) => one !== '-');
  const lines = said.flatMap((content) => [
    ['bob', 'INFO', content],
    ['bob', 'INFO', content, '--json'],
    ['--needs-ack', 'bob', 'INFO', content],
  ]);
  for (const words of lines) {
    const { code, stderr } = await room.run(['send', ...words, '--durability', 'process'], { as: 'alice' });
    expect(code, `${words.join(' ')} ${stderr}`).toBe(0);
  }
  const read = (await room.json(['read', '--limit', '100'], { as: 'bob' })) as { content: string }[];
  expect(read.map(({ content }) => content)).toEqual(said.flatMap((content) => [content, content, content]));
  console.log(`${lines.length} command lines with contents that look like something else`);
});

it('takes every word behind -- for an operand', async () => {
  for (const content of ['--help', '--json', '-h', '--version', '--', '--file', '-x', 'text']) {
    expect(await arrived(['bob', 'INFO', '--', content]), content).toEqual([content]);
    expect(await arrived(['--needs-ack', '--', 'bob', 'INFO', content]), content).toEqual([content]);
  }
  expect(await arrived(['bob', 'INFO', '--'])).toEqual(['--']);
  expect(await arrived(['bob', 'INFO', '--', '-'], { stdin: 'piped' })).toEqual(['piped']);
  const report = await room.run(['broadcast', 'INFO', '--', '--help'], { as: 'alice' });
  expect(report).toMatchObject({ code: 0, stdout: expect.stringContaining('delivered') as string });
  expect(await room.json(['read', '--max-bytes', '1000000'], { as: 'bob' })).toMatchObject([{ content: '--help' }]);
  for (const words of [
    ['--', '--json', 'x'],
    ['--', 'x', '--json'],
    ['--', '--needs-ack', '--'],
  ]) {
    const ran = await room.run(['send', 'bob', 'INFO', ...words], { as: 'alice' });
    expect(ran.code, words.join(' ')).toBe(2);
    expect(ran.stderr, words.join(' ')).toMatch(/^mailroom: /);
  }
  expect(await room.run(['join', '--', '--help'])).toMatchObject({ code: 2, stdout: '' });
});

it('refuses to send nothing, unless that is wanted', async () => {
  fs.writeFileSync(path.join(room.directory, 'blank'), ' \n');
  const unset: [string[], RunOptions, string][] = [
    [['bob', 'INFO', ''], {}, 'The content is empty'],
    [['bob', 'INFO', ' \n\t'], {}, 'The content is empty'],
    [['bob', 'INFO', '', '--data', '{}'], {}, 'The content is empty'],
    [['bob', 'INFO', '-'], { stdin: '' }, 'The standard input is empty'],
    [['bob', 'INFO', '-'], { stdin: '\n' }, 'The standard input is empty'],
    [['bob', 'INFO', '--file', 'blank'], {}, `The file ${path.join(room.directory, 'blank')} is empty`],
  ];
  for (const [words, options, said] of unset) {
    const ran = await room.run(['send', ...words], { as: 'alice', ...options });
    expect(ran, words.join(' ')).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(said);
    expect(ran.stderr).toContain('--allow-empty');
    const wanted = await arrived(['--allow-empty', ...words], options);
    expect(wanted, words.join(' ')).toEqual([expect.stringMatching(/^\s*$/)]);
  }
  // The shell has made /dev/null of it.
  expect((await room.shell('mailroom send bob INFO - <&-', { as: 'alice' })).code).toBe(2);
  expect((await room.run(['broadcast', 'INFO', ''], { as: 'alice' })).code).toBe(2);
  expect((await room.run(['reply', 'ffffffff', 'INFO', ''], { as: 'alice' })).code).toBe(2);
  expect(await room.json(['inbox'], { as: 'bob' })).toEqual([]);
  // What acknowledges says so by its type.
  expect(await arrived(['bob', 'ACK', ''])).toEqual(['']);
});

it('takes any text that a command line can hold', async () => {
  const seed = fc.sample(fc.integer(), 1)[0] ?? 0;
  const word = fc
    .string({ unit: anyCharacter, maxLength: 60 })
    .filter((text) => !text.includes('\0') && text !== '-' && text.trim() !== '');
  const texts = fc.sample(
    word.filter((text) => text.isWellFormed()),
    { numRuns: 8, seed },
  );
  console.log(`${texts.length} texts, seed ${seed}`);
  for (const text of texts) await room.run(['send', 'bob', 'INFO', text], { as: 'alice' });
  const read = (await room.json(['read', '--max-bytes', '1000000'], { as: 'bob' })) as { content: string }[];
  expect(read.map(({ content }) => content)).toEqual(texts);
});

it('reads the standard input for a lone -, to its end and as it is', async () => {
  expect(await arrived(['bob', 'INFO', '-'], { stdin: 'line one\nline two\n' })).toEqual(['line one\nline two\n']);
  const large = 'x'.repeat(200_000);
  expect(await arrived(['bob', 'INFO', '-'], { stdin: large })).toEqual([large]);
  const heredoc = await room.shell(`mailroom send bob INFO - <<'EOF'\n"quotes" $dollars \`ticks\`\nEOF\n`, {
    as: 'alice',
  });
  expect(heredoc.code, heredoc.stderr).toBe(0);
  expect(await room.json(['read', '--max-bytes', '1000000'], { as: 'bob' })).toMatchObject([
    { content: '"quotes" $dollars `ticks`\n' },
  ]);
});

it('waits for a standard input that comes late and in pieces', async () => {
  const slow = await room.shell(`(printf a; sleep 0.3; printf b) | mailroom send bob INFO -`, { as: 'alice' });
  expect(slow.code, slow.stderr).toBe(0);
  expect(await room.json(['read', '--max-bytes', '1000000'], { as: 'bob' })).toMatchObject([{ content: 'ab' }]);
});

it('reads a file with --file, wherever the option stands', async () => {
  fs.writeFileSync(path.join(room.directory, 'note.md'), '# Note\n');
  fs.symlinkSync('note.md', path.join(room.directory, 'link.md'));
  for (const words of [
    ['--file', 'note.md', 'bob', 'INFO'],
    ['bob', 'INFO', '--file', 'note.md'],
    ['bob', '--file=link.md', 'INFO', '--needs-ack'],
  ]) {
    expect(await arrived(words), words.join(' ')).toEqual(['# Note\n']);
  }
});

it('refuses a file that is not there, not text, too large or not alone, and sends nothing', async () => {
  fs.writeFileSync(path.join(room.directory, 'binary'), Buffer.from([0xff, 0xfe, 0x00]));
  fs.writeFileSync(path.join(room.directory, 'large'), 'x'.repeat(300_000));
  const refusals: [string[], number, string][] = [
    [['bob', 'INFO', '--file', 'gone'], 2, path.join(room.directory, 'gone')],
    [['bob', 'INFO', '--file', '.'], 2, 'EISDIR'],
    [['bob', 'INFO', '--file', 'binary'], 2, 'not UTF-8'],
    [['bob', 'INFO', '--file', 'large'], 5, 'more than 262144 bytes'],
    [['--file', 'note.md', 'bob', 'INFO', 'text'], 2, '--file and <content> exclude each other'],
    [['bob', 'INFO', 'text', '--file', 'note.md'], 2, '--file and <content> exclude each other'],
  ];
  for (const [words, code, text] of refusals) {
    const ran = await room.run(['send', ...words], { as: 'alice' });
    expect(ran, words.join(' ')).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toContain(text);
  }
  expect((await room.run(['send', 'bob', 'INFO', '-'], { as: 'alice', stdin: Buffer.from([0xc3]) })).code).toBe(2);
  expect(await room.json(['inbox'], { as: 'bob' })).toEqual([]);
});

it('says which command was meant when words are too many', async () => {
  const unquoted = await room.run(['send', 'bob', 'INFO', 'two', 'words'], { as: 'alice' });
  expect(unquoted.code).toBe(2);
  expect(unquoted.stderr).toContain('mailroom send bob INFO "two words"');
  const misplaced = await room.run(['send', 'bob', 'INFO', '--data', '{"a":1}', 'text'], { as: 'alice' });
  expect(misplaced.code).toBe(2);
  const command = /Put options first: (.*)\n/.exec(misplaced.stderr)?.[1] ?? '';
  expect((await room.shell(command, { as: 'alice' })).code).toBe(0);
  expect(await room.json(['read', '--max-bytes', '1000000'], { as: 'bob' })).toMatchObject([
    { content: 'text', data: { a: 1 } },
  ]);
});
