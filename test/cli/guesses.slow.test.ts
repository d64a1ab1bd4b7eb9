import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCliRoom, type CliRoom } from './cli-room.ts';

let room: CliRoom;
/** The end of an id in alice's mailbox. */
let id: string;
let names: string[];
beforeAll(async () => {
  room = await createCliRoom({ agents: ['alice', 'bob', 'carol'] });
  const { stdout } = await room.run(['help']);
  names = [...stdout.matchAll(/^ {2}([a-z]+)(?: [<[].*?)? {2,}\S/gm)].map((match) => match[1] ?? '');
});
afterAll(() => room[Symbol.dispose]());
beforeEach(async () => {
  const sent = (await room.json(['send', 'alice', 'QUESTION', 'Which port?'], { as: 'bob' })) as { id: string };
  id = sent.id.slice(-8);
});

interface Hinted {
  readonly error: { readonly message: string; readonly hint: string };
}

/** The error of a line given by alice. */
async function hintOf(words: readonly string[]): Promise<{ message: string; hint: string }> {
  const ran = await room.run(words, { as: 'alice' });
  expect(ran, words.join(' ')).toMatchObject({ code: 2, stdout: '' });
  if (words.includes('--json')) return (JSON.parse(ran.stderr) as Hinted).error;
  const [message = '', ...lines] = ran.stderr.trimEnd().split('\n');
  return { message, hint: lines.map((line) => line.slice(2)).join('\n') };
}

/** Gives the command of a hint in a shell, as somebody who pastes it. */
async function follow(hint: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return room.shell(hint.replace(/^(?:Did you mean|See all): /, ''), { as: 'alice' });
}

describe('a command of another program is told as the one of Mailroom', () => {
  const cases: readonly [typed: string, hint: string][] = [
    ['wait', 'mailroom read --wait 5m'],
    ['wait 60', 'mailroom read --wait 60s'],
    ['wait --timeout 2m', 'mailroom read --wait 2m'],
    ['wait bob --timeout=2m --json', 'mailroom read --wait 2m --json'],
    ['--as carol wait --limit 5', 'mailroom --as carol read --wait 5m --limit 5'],
    ['receive', 'mailroom read'],
    ['receive --limit 3', 'mailroom read --limit 3'],
    ['get ID', 'mailroom read ID'],
    ['fetch', 'mailroom read'],
    ['claim', 'mailroom read --hold'],
    ['check', 'mailroom inbox'],
    ['check ID', 'mailroom status ID'],
    ['check mail', 'mailroom inbox'],
    ['check_inbox', 'mailroom inbox'],
    ['list', 'mailroom inbox'],
    ['list agents', 'mailroom agents'],
    ['list members --json', 'mailroom agents --json'],
    ['ls', 'mailroom inbox'],
    ['mail', 'mailroom inbox'],
    ['messages', 'mailroom inbox'],
    ['new', 'mailroom inbox'],
    ['poll', 'mailroom inbox'],
    ['show ID', 'mailroom read ID'],
    ['who', 'mailroom agents'],
    ['ps', 'mailroom agents'],
    ['members', 'mailroom agents'],
    ['peers', 'mailroom agents'],
    ['history', 'mailroom log'],
    ['me', 'mailroom whoami'],
    ['health', 'mailroom doctor'],
    ['msg bob INFO hello', 'mailroom send bob INFO hello'],
    ['tell bob hello', 'mailroom send bob INFO "hello"'],
    ['dm bob hello --needs-ack', 'mailroom send bob INFO "hello" --needs-ack'],
    ['notify bob hello there', 'mailroom send bob INFO "hello there"'],
    ['post bob hello', 'mailroom send bob INFO "hello"'],
    ['mail bob hello', 'mailroom send bob INFO "hello"'],
    ['ask bob port?', 'mailroom send bob QUESTION "port?"'],
    ['announce hello', 'mailroom broadcast INFO "hello"'],
    ['respond ID hello', 'mailroom reply ID INFO "hello"'],
    ['answer ID COMPLETED hello', 'mailroom reply ID COMPLETED hello'],
    ['acknowledge ID', 'mailroom ack ID'],
    ['done ID', 'mailroom ack ID'],
    ['register dave', 'eval "$(mailroom join dave)"'],
    ['login dave', 'eval "$(mailroom join dave)"'],
    ['setup', 'mailroom init'],
    ['start', 'mailroom init'],
    ['exit', 'mailroom leave'],
    ['quit', 'mailroom leave'],
    ['version', 'mailroom --version'],
    ['help wait', 'mailroom help read'],
    ['man', 'mailroom help'],
  ];
  it.each(cases)('%s: %s', async (typed, expected) => {
    const { message, hint } = await hintOf(typed.replaceAll('ID', id).split(' '));
    expect(message).toContain('There is no command');
    expect(hint).toBe(`Did you mean: ${expected.replaceAll('ID', id)}`);
    if (expected.includes('--as carol')) await room.run(['send', 'carol', 'INFO', 'x'], { as: 'bob' });
    const claimed = expected.startsWith('mailroom ack')
      ? await room.run(['read', id, '--hold'], { as: 'alice' })
      : undefined;
    expect(claimed?.code ?? 0).toBe(0);
    const followed = await follow(hint);
    expect(followed.code, followed.stderr).toBe(0);
    if (expected === 'mailroom leave') await room.run(['join', 'alice']);
  });

  it('and how that is used, where something is missing', async () => {
    for (const [typed, usage, name] of [
      ['done', 'mailroom ack <id…>', 'ack'],
      ['tell', 'mailroom send <to> <type> <content>', 'send'],
      ['login', 'eval "$(mailroom join <address>)"', 'join'],
    ] as const) {
      const { hint } = await hintOf([typed]);
      expect(hint).toBe(`Did you mean: ${usage}? See: mailroom help ${name}`);
      expect((await follow(`mailroom help ${name}`)).code).toBe(0);
    }
  });

  it('never where the command exists, and each guess has one meaning', () => {
    const source = fs.readFileSync(path.join(import.meta.dirname, '../../src/cli/guesses.ts'), 'utf8');
    const said = [...source.matchAll(/said: '([^']+)'/g)].flatMap(([, all = '']) => all.split(' '));
    expect(said.length).toBeGreaterThan(80);
    expect(said.filter((word) => names.includes(word))).toEqual([]);
    expect(said.filter((word, at) => said.indexOf(word) !== at)).toEqual([]);
    console.log(`${said.length} guesses, ${names.length} commands`);
  });
});

describe('a message that cannot be sent as it is typed is told as one that can', () => {
  const cases: readonly [title: string, words: string[], command: string][] = [
    ['no type', ['send', 'bob', 'hello'], 'mailroom send bob INFO "hello"'],
    [
      'no type, and an option behind the content',
      ['send', 'bob', 'hello', '--needs-ack', '--data', '{"a":[1]}'],
      `mailroom send bob INFO "hello" --needs-ack --data '{"a":[1]}'`,
    ],
    [
      'no type, and who it is in front',
      ['--as', 'carol', 'send', 'bob', 'hello'],
      'mailroom send bob INFO "hello" --as carol',
    ],
    ['what a shell would act on', ['send', 'bob', `it's $HOME "now"`], `mailroom send bob INFO 'it'\\''s $HOME "now"'`],
    [
      'a command of ours as content',
      ['send', 'bob', 'try mailroom read'],
      `mailroom send bob INFO 'try mailroom read'`,
    ],
    ['no type in an answer', ['reply', 'ID', 'port 8080'], 'mailroom reply ID INFO "port 8080"'],
    ['no type for everybody', ['broadcast', 'hello'], 'mailroom broadcast INFO "hello"'],
    ['no type, and the content in a file', ['send', 'bob', '--file', 'a.md'], 'mailroom send bob INFO --file a.md'],
    ['a type in small letters', ['send', 'bob', 'question', 'why?'], 'mailroom send bob QUESTION "why?"'],
    ['a type with an underline', ['send', 'bob', 'REVIEW_REQUEST', 'x'], 'mailroom send bob REVIEW-REQUEST "x"'],
    ['the type behind the content', ['send', 'bob', 'why?', 'QUESTION'], 'mailroom send bob QUESTION "why?"'],
    ['no quotes', ['send', 'bob', 'INFO', 'hello', 'there'], 'mailroom send bob INFO "hello there"'],
    ['an address with @', ['send', '@bob', 'INFO', 'hello'], 'mailroom send bob INFO "hello"'],
    ['an address in capitals', ['send', 'Bob', 'INFO', 'hello'], 'mailroom send bob INFO "hello"'],
    [
      'operands as options',
      ['send', '--to', 'bob', '--type=QUESTION', '--message', 'why?', '--from', 'carol'],
      'mailroom send bob QUESTION "why?" --as carol',
    ],
    ['everybody as recipient', ['send', 'all', 'INFO', 'hello'], 'mailroom broadcast INFO "hello"'],
    ['everybody as *', ['send', '*', 'hello'], 'mailroom broadcast INFO "hello"'],
  ];
  it.each(cases)('%s', async (_title, words, command) => {
    fs.writeFileSync(path.join(room.directory, 'a.md'), 'hello');
    const { hint } = await hintOf(words.map((word) => (word === 'ID' ? id : word)));
    expect(hint).toBe(`Did you mean: ${command.replace('ID', id)}`);
    const sent = await follow(hint);
    expect(sent, sent.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('delivered') });
  });

  it('delivers exactly the content that was typed', async () => {
    await room.run(['read', '--limit', '100'], { as: 'carol' });
    const content = `it's $HOME "now" \`id\` \\ !! mailroom read\n  and 😀 — a second line`;
    await follow((await hintOf(['send', 'carol', content])).hint);
    expect(await room.json(['read'], { as: 'carol' })).toMatchObject([{ type: 'INFO', content, from: 'alice' }]);
  });

  it('does not repeat a long content, and what stands for it is sent by no shell', async () => {
    const long = 'x'.repeat(2_001);
    for (const words of [
      ['send', 'bob', long, '--needs-ack'],
      ['tell', 'bob', 'INFO', long, '--needs-ack'],
    ]) {
      const { hint } = await hintOf(words);
      expect(hint).toBe('Did you mean: mailroom send bob INFO <content> --needs-ack');
      expect(await follow(hint)).toMatchObject({ code: 2, stdout: '' });
    }
  });

  it.each([
    [['send', 'bob,carol', 'INFO', 'hello']],
    [['send', 'bob, carol', 'hello']],
    [['send', 'bob', 'carol', 'INFO', 'hello']],
    [['send', 'bob,', '@carol', 'INFO', 'hello', 'there']],
    [['send', '--to', 'bob,carol', '--message', 'hello']],
  ])('%j: a command for each recipient, and one for all', async (words) => {
    const text = words.includes('there') ? 'hello there' : 'hello';
    const lines = (await hintOf(words)).hint.split('\n');
    expect(lines).toEqual([
      'Send it to each:',
      `mailroom send bob INFO "${text}"`,
      `mailroom send carol INFO "${text}"`,
      `Or to all who have joined: mailroom broadcast INFO "${text}"`,
    ]);
    const commands = [...lines.slice(1, 3), lines[3]?.replace('Or to all who have joined: ', '') ?? ''];
    for (const line of commands) expect((await follow(line)).code, line).toBe(0);
  });

  it.each([
    ['an option that is none', ['send', 'bob', '--urgent', 'hello'], 'See: mailroom help send'],
    ['an option that is none behind', ['send', 'bob', 'INFO', 'x', '--urgent'], 'See: mailroom help send'],
    ['no content at all', ['send', 'bob', 'QUESTION'], 'See: mailroom help send'],
    ['no answer', ['reply', 'hello'], 'See: mailroom help reply'],
    ['options in the place of the content', ['send', 'bob', 'INFO', '--needs-ack', 'x'], 'Put options first: '],
  ])('says no command where it cannot be seen what was meant: %s', async (_title, words, hint) => {
    expect((await hintOf(words)).hint).toMatch(new RegExp(`^${hint}`));
  });
});

it('-v and -V alone print the version, and nothing else of a line is left undone for them', async () => {
  const { stdout } = await room.run(['--version']);
  for (const word of ['-v', '-V']) {
    expect(await room.run([word])).toMatchObject({ code: 0, stdout, stderr: '' });
    expect((await hintOf([word, 'send', 'bob', 'INFO', 'x'])).message).toContain(`no option "${word}"`);
  }
});
