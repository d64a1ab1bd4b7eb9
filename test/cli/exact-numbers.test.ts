import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { envelope, readForge, sealed } from '../../fixtures/zoo/forge.ts';
import { createCliRoom, type CliRoom } from './cli-room.ts';

let room: CliRoom;
beforeAll(async () => {
  room = await createCliRoom();
});
afterAll(() => room[Symbol.dispose]());

const EXACT = '{"id":12345678901234567890,"e":[1e400,-0.1000000000000000055],"s":"a\\u202eb","id2":1}';

/** Mail to bob as a client in another language may write it: JSON says which numbers there are, not which a double holds. */
function deliver(data: string, key = '"data"'): string {
  const forge = readForge(room.room);
  const fields = envelope(forge, { content: 'from elsewhere', threadId: 'data' });
  const json = JSON.stringify(fields).replace('"content"', `${key} : ${data},"content"`);
  const name = `${String(fields['id'])}.alice.json`;
  const mailbox = path.join(room.room, 'actors/bob/mailbox/new', name);
  fs.writeFileSync(mailbox, sealed(forge, { from: 'alice', signed: json }), { mode: 0o400 });
  return String(fields['id']);
}

it('refuses to send a number that would arrive as another one, and JSON that two readers could take differently', async () => {
  const refused: [data: string, said: string][] = [
    [
      '{"id":12345678901234567890}',
      'has the number 12345678901234567890, which most programs would read as 12345678901234567000',
    ],
    ['[1e400]', 'would read as Infinity'],
    ['{"a":1,"b":2,"a":3}', 'the key \\"a\\" twice'.replaceAll('\\', '')],
    ['{"a":1,"\\u0061":3}', 'twice'],
  ];
  for (const [data, said] of refused) {
    const ran = await room.run(['send', 'bob', 'INFO', 'x', '--data', data], { as: 'alice' });
    expect(ran, data).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(said);
  }
  expect(await room.json(['inbox'], { as: 'bob' })).toEqual([]);
  const kept = '{"id":"12345678901234567890","x":[0.1,9007199254740992,1e21]}';
  await room.run(['send', 'bob', 'INFO', 'x', '--data', kept], { as: 'alice' });
  expect(await room.json(['read'], { as: 'bob' })).toMatchObject([{ data: JSON.parse(kept) as unknown }]);
});

it('shows the numbers that were signed, exactly, wherever a message is shown', async () => {
  const id = deliver(EXACT.replace('[', '\n [ ').replace('\\u202e', '\u202e'));
  for (const [words, as] of [
    [['inbox', '--json'], 'bob'],
    [['watch', '--limit', '1', '--json'], 'bob'],
    [['read', '--hold', '--json'], 'bob'],
    [['read', id.slice(-8), '--json'], 'bob'],
  ] as const) {
    const ran = await room.run(words, { as });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout, words.join(' ')).toContain(`"data":${EXACT},`);
    expect(() => JSON.parse(ran.stdout) as unknown).not.toThrow();
    expect(ran.stdout.trimEnd()).not.toContain('\n');
  }
  expect((await room.run(['read', id.slice(-8)], { as: 'bob' })).stdout).toContain(`Data ${EXACT}\n`);
  await room.run(['ack', id], { as: 'bob' });
  // A name spelled with an escape is the same name.
  deliver('[18446744073709551615]', '"d\\u0061ta"');
  expect((await room.run(['read', '--json'], { as: 'bob' })).stdout).toContain('"data":[18446744073709551615],');
});
