import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCliRoom, type CliRoom } from './cli-room.ts';

let room: CliRoom;
beforeAll(async () => {
  room = await createCliRoom({ agents: [] });
});
afterAll(() => room[Symbol.dispose]());

describe('two shells', () => {
  it('join, ask, answer and see what became of it, with nothing but the commands of the README', async () => {
    const joinAs = (name: string): string => `eval "$(mailroom join ${name} --program sh)" && `;
    const asked = await room.shell(
      `${joinAs('alice')} mailroom join bob >&2 && mailroom send bob QUESTION 'Which port?'`,
    );
    expect(asked.code, asked.stderr).toBe(0);
    const id = /^delivered {2}([0-9a-f]{8}) {2}to bob\n$/.exec(asked.stdout)?.[1] ?? '';

    const answered = await room.shell(
      `${joinAs('bob')} mailroom inbox && mailroom read --hold && mailroom reply ${id} INFO 8080 && mailroom inbox`,
    );
    expect(answered.code, answered.stderr).toBe(0);
    expect(answered.stdout).toMatch(new RegExp(`^${id} {2}\\d+s {2}waiting {2}alice {2}QUESTION {2}Which port\\?\n`));
    expect(answered.stdout).toMatch(
      new RegExp(`From alice {2}QUESTION {2}\\d+s ago {2}id ${id}\n {2}Which port\\?\n\n`),
    );
    expect(answered.stderr).toContain(`mailroom ack ${id}`);
    expect(answered.stderr).toContain('No mail for bob.');

    const read = await room.shell(
      `${joinAs('alice')} mailroom read --wait 10s && mailroom status ${id} && mailroom inbox`,
    );
    expect(read.code, read.stderr).toBe(0);
    expect(read.stdout).toContain(`answers ${id}\n  8080\n`);
    expect(read.stdout).toContain(`${id}  bob  acknowledged\n`);
    expect(read.stderr).toContain('No mail for alice.');
  });

  it('prints on stdout of join the export line and nothing else', async () => {
    const joined = await room.run(['join', 'carol', '--skills', 'a, b', '--accepts', 'VOTE']);
    expect(joined).toMatchObject({ code: 0, stdout: 'export MAILROOM_AS=carol\n' });
    expect(joined.stderr).toContain('You have joined as carol');
    expect(await room.json(['join', 'carol'])).toEqual({
      address: 'carol',
      room: room.room,
      export: 'export MAILROOM_AS=carol',
    });
  });

  it('sends a type that somebody declared, and only then', async () => {
    await room.run(['join', 'voter', '--accepts', 'VOTE']);
    expect(await room.run(['send', 'voter', 'VOTE', 'yes'], { as: 'voter' })).toMatchObject({ code: 0 });
    const undeclared = await room.run(['send', 'voter', 'VOTEE', 'yes'], { as: 'voter' });
    expect(undeclared.code).toBe(2);
    expect(undeclared.stderr).toContain('Did you mean VOTE?');
  });

  it('lets one who left be written to, and broadcasts pass it by', async () => {
    for (const name of ['dora', 'emil', 'finn']) await room.run(['join', name]);
    const left = await room.run(['leave'], { as: 'emil' });
    expect(left).toMatchObject({ code: 0, stdout: '' });
    expect(await room.run(['send', 'emil', 'INFO', 'later'], { as: 'dora' })).toMatchObject({ code: 0 });
    const all = (await room.json(['broadcast', 'INFO', 'to all'], { as: 'dora' })) as { outcomes: object };
    expect(Object.keys(all.outcomes)).toContain('finn');
    expect(Object.keys(all.outcomes)).not.toContain('emil');
    expect(Object.keys(all.outcomes)).not.toContain('dora');
    const self = (await room.json(['broadcast', 'INFO', 'to all', '--include-self'], { as: 'dora' })) as {
      outcomes: object;
    };
    expect(Object.keys(self.outcomes)).toContain('dora');
  });
});
