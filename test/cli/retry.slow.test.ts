import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCliRoom, type CliRoom } from './cli-room.ts';

interface Report {
  readonly id: string;
  readonly outcomes: Readonly<Record<string, { outcome: string; code?: string; retry?: string }>>;
}

let room: CliRoom;
beforeAll(async () => {
  room = await createCliRoom({ agents: ['alice', 'bob', 'carol'], limits: { newMessagesMax: 1 } });
});
afterAll(() => room[Symbol.dispose]());

const CONTENTS: Readonly<Record<string, string>> = {
  plain: 'hello',
  quotes: `it's "quoted" \`ticks\` $HOME \\n %s *`,
  'several lines': 'one\n\n two\t\n',
  'like an option': '--json',
  'like the option for a file': '--file',
  'like the end of options': '--',
  'like the standard input': '-',
  'an escape': '\u001b]0;title\u0007\r',
  'bidi and line separators': 'a\u202eb\u2028c',
  'beyond ASCII': 'naïve 🙂 \\0101',
  'a zero byte': 'a\u0000b',
  empty: '',
};

it('gives a command with which a shell later delivers exactly that message, once', async () => {
  for (const [name, content] of Object.entries(CONTENTS)) {
    await room.run(['send', 'bob', 'INFO', 'fills the mailbox'], { as: 'carol' });
    const options = [
      '--data',
      `{"it's":[1,"\u2028"]}`,
      '--thread',
      `t '1'\u001b`,
      '--expires',
      '1h',
      '--needs-ack',
      '--allow-empty',
    ];
    const failed = await room.run(['send', 'bob', 'INFO', '-', ...options, '--json'], { as: 'alice', stdin: content });
    expect(failed.code, failed.stderr).toBe(6);
    expect(JSON.parse(failed.stderr)).toMatchObject({ error: { code: 'MAILBOX_FULL' } });
    const { id, outcomes } = JSON.parse(failed.stdout) as Report;
    const { outcome, code, retry = '' } = outcomes['bob'] ?? { outcome: '' };
    expect({ outcome, code }, name).toEqual({ outcome: 'failed', code: 'MAILBOX_FULL' });
    await room.run(['read'], { as: 'bob' });

    for (const time of ['first', 'second']) {
      const repeated = await room.shell(`${retry} --json`);
      expect(repeated.code, `${name}, ${time} time: ${retry}\n${repeated.stderr}`).toBe(0);
      expect(JSON.parse(repeated.stdout)).toEqual({ id, outcomes: { bob: { outcome: 'delivered' } } });
    }
    expect(await room.json(['read'], { as: 'bob' }), name).toMatchObject([
      { id, from: 'alice', content, data: { "it's": [1, '\u2028'] }, threadId: `t '1'\u001b`, needsAck: true },
    ]);
  }
  console.log(`${Object.keys(CONTENTS).length} contents repeated by a shell`);
});

it('gives it for a broadcast and for a reply, too', async () => {
  await room.run(['send', 'bob', 'INFO', 'fills the mailbox'], { as: 'carol' });
  const broadcast = await room.run(['broadcast', 'INFO', '-x', '--json'], { as: 'alice' });
  expect(broadcast.code).toBe(6);
  const report = JSON.parse(broadcast.stdout) as Report;
  expect(report.outcomes).toMatchObject({ bob: { outcome: 'failed' }, carol: { outcome: 'delivered' } });
  await room.run(['read'], { as: 'bob' });
  const repeated = await room.shell(`${report.outcomes['bob']?.retry} --json`);
  expect(JSON.parse(repeated.stdout)).toEqual({
    id: report.id,
    outcomes: { bob: { outcome: 'delivered' }, carol: { outcome: 'delivered' } },
  });

  const [question] = (await room.json(['inbox'], { as: 'carol' })) as { id: string }[];
  await room.run(['send', 'alice', 'INFO', 'fills the mailbox'], { as: 'bob' });
  const reply = await room.run(['reply', question?.id ?? '', 'INFO', 'yes'], { as: 'carol' });
  expect(reply.code).toBe(6);
  expect(await room.json(['status', question?.id ?? ''])).toContainEqual(
    expect.objectContaining({ recipient: 'carol', state: 'claimed' }),
  );
  await room.run(['read'], { as: 'alice' });
  const command = /It is safe to repeat it with its id: (.*)\n/.exec(reply.stderr)?.[1] ?? '';
  expect((await room.shell(command)).code).toBe(0);
  expect(await room.json(['read'], { as: 'alice' })).toMatchObject([{ from: 'carol', content: 'yes' }]);
  expect(await room.json(['status', question?.id ?? ''])).toContainEqual(
    expect.objectContaining({ recipient: 'carol', state: 'acknowledged' }),
  );
});
