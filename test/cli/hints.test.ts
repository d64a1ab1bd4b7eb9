import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { commandLineWithContent } from '../../src/cli/shell-words.ts';
import { createCliRoom } from './cli-room.ts';

const SRC = path.join(import.meta.dirname, '../../src');
/** A command within a text of ours, to the end of the text or of the parenthesis or quotation that it stands in. */
const COMMAND = /(?<![\w./@-])mailroom ((?:--[a-z]+ \S+ )*[a-z]+(?: [^'"`\n(]*)?)/g;

/** Every command that an error or a hint in the sources names, with the file. */
function commandsInHints(): { file: string; command: string }[] {
  const files = fs.readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.flatMap((file) => {
    const lines = fs.readFileSync(path.join(SRC, file), 'utf8').split('\n');
    const texts = lines.filter((line) => /\bhint\b|\badvise\(|[Hh]int[:,]| why: /.test(line));
    return texts.flatMap((line) =>
      [...line.matchAll(COMMAND)].map(([, command = '']) => ({ file, command: command.trim().replace(/[.)}]+$/, '') })),
    );
  });
}

it('names only commands that may be given as often as one likes', () => {
  const found = commandsInHints();
  expect(found.length).toBeGreaterThan(30);
  // To send or to begin anew is to be told with an id, or by whoever knows that it has not happened.
  const unsafe = found.filter(({ command }) => /^(--\S+ \S+ )*(send|reply|run .*--again|leave)\b/.test(command));
  expect(unsafe).toEqual([]);
  // What one reads in the name of another is acknowledged in the other's place.
  expect(found.filter(({ command }) => /--as \S+ (read|ack|release|purge)\b/.test(command))).toEqual([]);
  console.log(`${found.length} commands in hints`);
});

it('names who and where again, so that the next command is for the same', async () => {
  using room = await createCliRoom();
  for (const content of ['one', 'two']) await room.run(['send', 'bob', 'INFO', content], { as: 'alice' });
  const elsewhere = { as: 'alice', cwd: '/' };
  const given = ['--as', 'bob', '--room', room.room];
  const { stderr } = await room.run(['read', '--limit', '1', ...given], elsewhere);
  const next = /To read on: (.*)\n/.exec(stderr)?.[1] ?? '';
  const read = await room.shell(`${next} --json`, elsewhere);
  expect(JSON.parse(read.stdout)).toMatchObject([{ content: 'two' }]);
});

it('quotes the path of a room that is not there', async () => {
  using room = await createCliRoom();
  const named = path.join(room.directory, "it's a room");
  const { stderr } = await room.run(['--room', named, 'inbox'], { as: 'bob' });
  const command = /Make one with: (.*)\n/.exec(stderr)?.[1] ?? '';
  expect(await room.shell(command)).toMatchObject({ code: 0, stdout: `${named}\n` });
});

it('pipes in what a command line would take for the end of its options', () => {
  expect(commandLineWithContent(['send', 'bob', 'INFO', '--'], { at: 3, text: '--' })).toBe(
    `printf '%b' '--' | mailroom send bob INFO -`,
  );
});
