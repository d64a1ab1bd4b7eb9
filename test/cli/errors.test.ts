import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCliRoom, type CliRoom } from './cli-room.ts';

let room: CliRoom;
beforeAll(async () => {
  room = await createCliRoom();
});
afterAll(() => room[Symbol.dispose]());

/** Every path below the directory that holds the project, so that nothing made outside the room goes unseen. */
function everything(): string[] {
  return fs.readdirSync(path.dirname(room.directory), { recursive: true, encoding: 'utf8' }).sort();
}

describe('exit codes', () => {
  const cases: readonly [title: string, words: string[], code: number, stderr: string][] = [
    ['an unknown command', ['snd', 'bob', 'INFO', 'x'], 2, 'Did you mean: mailroom send bob INFO x'],
    ['no command like any', ['frobnicate'], 2, 'mailroom help'],
    ['an unknown option', ['inbox', '--jsn'], 2, 'Did you mean --json?'],
    ['an unknown option alone', ['--verson'], 2, 'Did you mean --version?'],
    ['an unknown option before a command', ['--rom', '/nowhere', 'inbox'], 2, 'Did you mean --room?'],
    ['an option before its command', ['--limit', '3', 'log'], 2, 'follow its name'],
    ['an unknown short option', ['inbox', '-z'], 2, 'mailroom inbox has no option "-z"'],
    ['an option without its value', ['read', '--wait'], 2, '--wait needs a value'],
    ['an option given twice', ['read', '--hold', '--hold'], 2, 'given twice'],
    ['a value for a flag', ['read', '--hold=yes'], 2, 'takes no value'],
    ['a wrong choice', ['send', 'bob', '--durability', 'powr', 'INFO', 'x'], 2, 'Did you mean power?'],
    ['a missing operand', ['send', 'bob', 'INFO'], 2, 'mailroom send needs <content>'],
    ['an operand too many', ['inbox', 'x'], 2, 'takes no further argument, got "x"'],
    ['a time without a unit', ['read', '--wait', '5'], 2, '500ms 30s 5m 2h 1d'],
    ['a count that is none', ['read', '--limit', '0'], 2, 'whole number from 1'],
    ['--timeout alone', ['send', 'bob', 'INFO', 'x', '--timeout', '1s'], 2, '--wait-for'],
    ['data that is not JSON', ['send', 'bob', 'INFO', 'x', '--data', '{a}'], 2, '--data is not JSON'],
    ['an invalid id', ['send', 'bob', 'INFO', 'x', '--id', 'abc'], 2, 'not a UUIDv7'],
    ['an id too short', ['read', 'abc'], 2, 'at least its last 4 characters'],
    ['an undeclared type', ['send', 'bob', 'INFOO', 'x'], 2, 'Did you mean INFO?'],
    ['a recipient nobody joined as', ['send', 'bobb', 'INFO', 'x'], 3, 'Then: mailroom send bob INFO x'],
    ['all as the one recipient', ['send', 'all', 'INFO', 'x'], 2, 'mailroom broadcast INFO "x"'],
    ['a message nobody has', ['status', 'ffffffff'], 3, 'No message with an id ending in ffffffff'],
    ['no room', ['--room', '/nowhere', 'inbox'], 3, 'mailroom init --room /nowhere'],
    ['no mail in time', ['read', '--wait', '50ms'], 4, 'within 50ms'],
    ['data nested too deep', ['send', 'bob', 'INFO', 'x', '--data', `${'['.repeat(70)}${']'.repeat(70)}`], 5, 'nested'],
  ];
  it.each(cases)('%s', async (_title, words, code, stderr) => {
    const ran = await room.run(words, { as: 'alice' });
    expect(ran.code, ran.stderr).toBe(code);
    expect(ran.stderr).toContain(stderr);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).not.toMatch(/^ {4}at /m);
  });

  it('6 for a rate limit, with the time to try again', async () => {
    using slow = await createCliRoom({ limits: { rateLimit: 1 } });
    expect((await slow.run(['send', 'bob', 'INFO', 'one'], { as: 'alice' })).code).toBe(0);
    const second = await slow.run(['send', 'bob', 'INFO', 'two', '--json'], { as: 'alice' });
    expect(second).toMatchObject({ code: 6, stdout: '' });
    expect(JSON.parse(second.stderr)).toEqual({
      error: {
        code: 'RATE_LIMIT_EXCEEDED',
        message: expect.stringContaining('alice has sent 1 message'),
        hint: expect.any(String),
        retryAt: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    });
  });

  it('show a stack only with --debug', async () => {
    const ran = await room.run(['send', 'nobody', 'INFO', 'x', '--debug'], { as: 'alice' });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/^ {4}at /m);
  });
});

describe('with --json an error is one document on stderr', () => {
  it.each([
    [['inbox', '--nope', '--json'], 2, 'INVALID_INPUT'],
    [['nope', '--json'], 2, 'INVALID_INPUT'],
    [['send', 'bobb', 'INFO', 'x', '--json'], 3, 'ACTOR_NOT_FOUND'],
    [['read', '--wait', '1ms', '--json'], 4, 'TIMEOUT'],
    [['status', 'ffffffff', '--json'], 3, 'MESSAGE_NOT_FOUND'],
    [['--room', '/nowhere', 'inbox', '--json'], 3, 'ROOM_NOT_FOUND'],
  ])('mailroom %j', async (words, code, errorCode) => {
    const ran = await room.run(words, { as: 'alice' });
    expect(ran.stdout).toBe('');
    expect(ran.code).toBe(code);
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code: errorCode, message: expect.any(String) } });
  });
});

describe('what is no address', () => {
  const names = [
    '..',
    '.',
    'a/b',
    '../bob',
    '/etc',
    'all',
    'system',
    'x'.repeat(300),
    '',
    'Bob',
    'a..b',
    'bob\n',
    '-',
    'a b',
  ];

  it(`makes every command that takes one exit 2 and create nothing: ${names.length} names`, async () => {
    const before = everything();
    const lines = names.flatMap((name) => [
      ['join', name],
      ['send', name, 'INFO', 'x', '--as', 'alice'],
      ['inbox', `--as=${name}`],
      ['send', 'bob', 'INFO', 'x', `--as=${name}`],
    ]);
    const tried = await Promise.all(lines.map(async (words) => ({ words, ran: await room.run(words) })));
    for (const { words, ran } of tried) {
      expect(ran.code, `${JSON.stringify(words)} ${ran.stderr}`).toBe(2);
      expect(ran.stdout).toBe('');
    }
    // A message that could not be sent is told in the log, which is all there may be.
    expect(everything()).toEqual(before);
    console.log(`${lines.length} command lines`);
  });
});
