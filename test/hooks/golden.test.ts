import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';
import { createCommands } from '../../src/cli/command-table.ts';
import { HOOK_CHARS_MAX } from '../../src/hooks/mail-text.ts';
import { openGoldenRoom, type GoldenRoom } from './golden-texts.ts';

const GOLDEN = path.join(import.meta.dirname, 'golden');

/** Sends the mail of one golden file, and resolves with the text that a session is shown. */
const TEXTS: Readonly<Record<string, (golden: GoldenRoom) => Promise<string>>> = {
  'introduction.txt': async ({ room, id, introduction }) => {
    const { alice, zoo } = room;
    const own = zoo.room.agent('claude-1');
    await alice.send({ to: 'claude-1', type: 'QUESTION', content: 'Which port?', id: id(0xa1) });
    await own.acknowledge(id(0xa1));
    await alice.send({ to: 'claude-1', type: 'INFO', content: 'The tests pass.', id: id(0xa2) });
    await own.acknowledge(id(0xa2));
    await alice.send({ to: 'claude-1', type: 'REVIEW-REQUEST', content: 'src/pay.ts', id: id(0xa3) });
    await own.claim(id(0xa3));
    return introduction();
  },
  'one-message.txt': async ({ room, id, shown }) => {
    await room.alice.send({ to: 'claude-1', type: 'QUESTION', content: 'Which port does it use?', id: id(0xb1) });
    return shown();
  },
  'three-messages.txt': async ({ room, id, shown }) => {
    const { alice, zoo } = room;
    const data = { port: 8080 };
    await alice.send({ to: 'claude-1', type: 'INFO', content: 'First line.\nSecond line.', data, id: id(0xc1) });
    await zoo.room.agent('claude-1').send({ to: 'bob', type: 'QUESTION', content: 'Done?', id: id(0xc2) });
    const mail = await zoo.bob.claim(id(0xc2));
    await zoo.bob.broadcast({ type: 'INFO', content: 'All done.', replyTo: id(0xc2), id: id(0xc3) });
    await zoo.bob.reply(mail, { type: 'INFO', content: 'Done, in \u001b[1m3 files\u001b[0m.', id: id(0xc4) });
    return shown();
  },
  'cut-message.txt': async ({ room, id, shown }) => {
    const content = `The log:\n${'A line of it, 20 c.\n'.repeat(600)}`;
    await room.alice.send({ to: 'claude-1', type: 'INFO', content, id: id(0xd1) });
    return shown();
  },
};

test.each(Object.entries(TEXTS))('the text in %s is what a session is shown', async (file, make) => {
  await using golden = await openGoldenRoom();
  const text = await make(golden);
  await expect(text).toMatchFileSnapshot(path.join(GOLDEN, file));
  expect(text.length).toBeLessThanOrEqual(HOOK_CHARS_MAX);
});

/** Words with which an instruction would begin. */
const IMPERATIVE =
  /^(?:please|you (?:must|should)|(?:do|answer|reply|read|run|use|wait|see|type|send|check|give|ask|remember|never|always)\b)/i;

function fail(line: string): never {
  throw new Error(`no such command: ${line}`);
}

/** Mailroom's own text, without the text of senders. */
function ownTexts(): string[] {
  const texts = fs.readdirSync(GOLDEN).map((file) => fs.readFileSync(path.join(GOLDEN, file), 'utf8'));
  expect(texts).toHaveLength(Object.keys(TEXTS).length);
  return texts.map((text) => text.replaceAll(/<<<MAIL (\w+)\n.*?\nMAIL \1>>>\n/gs, ''));
}

test('Mailroom itself states facts: none of its sentences tells the model to do something', () => {
  const sentences = ownTexts().flatMap((text) => text.split(/(?<=[.:;|])\s+|\n/));
  console.log(`${sentences.length} sentences`);
  expect(sentences.filter((sentence) => IMPERATIVE.test(sentence))).toEqual([]);
});

test('every named command is valid', () => {
  const commands = createCommands(() => Promise.reject(new Error('no test runs a machine by this')));
  const named = ownTexts().flatMap((text) => [
    ...text.matchAll(/\bmailroom ([a-z]+)((?: (?:[<-]\S+|[\dA-Z]\S*|"text"))*)/g),
  ]);
  for (const [line, name, rest = ''] of named) {
    const command = commands.find((one) => one.name === name);
    const parse = (): unknown => parseArguments(command ?? fail(line), rest.split(' ').slice(1));
    expect(parse, line).not.toThrow();
  }
  console.log(named.map(([line]) => line).join('\n'));
  expect(named.length).toBeGreaterThan(8);
});
