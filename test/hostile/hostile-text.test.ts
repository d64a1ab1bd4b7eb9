import fs from 'node:fs';
import { expect, test } from 'vitest';
import { envelope, idAt, sealed } from '../../fixtures/zoo/forge.ts';
import { ALL_HOSTILE_TEXT, HOSTILE_TEXT, isClean } from '../../fixtures/zoo/hostile-text.ts';
import { formatLogLine } from '../../src/log/format-line.ts';
import { roomLayout } from '../../src/message/layout.ts';
import { openZoo, readAll } from './zoo-room.ts';

const TEXTS = Object.entries(HOSTILE_TEXT);
const NAME_BYTES_MAX = 255;

test('hostile text in any field reaches its reader unchanged, and the log stays lines of printable text', async () => {
  await using zoo = await openZoo();
  const logBytes = (): Buffer => fs.readFileSync(roomLayout(zoo.directory).log);
  for (const [index, [title, text]] of TEXTS.entries()) {
    const member = await zoo.room.join(`member-${index}`, { program: text, skills: [text] });
    const draft = { type: 'INFO', content: text, data: { [text]: [text] }, threadId: text };
    await zoo.alice.send({ to: member.address, ...draft });
    expect(await readAll(member), title).toMatchObject([{ content: text, data: { [text]: [text] }, threadId: text }]);
    await zoo.alice.send({ to: member.address, ...draft });
    for await (const mail of member.inbox({ wait: false })) await mail.reject(text);
    const name = Buffer.from(text.replaceAll(/[\0/]/g, '?')).subarray(0, NAME_BYTES_MAX);
    fs.writeFileSync(Buffer.concat([Buffer.from(`${zoo.mailbox.new}/`), name]), text);
    for (const wrong of [{ [text]: 1 }, { type: text }, { room: text }, { to: [text] }, { content: `\ud800${text}` }]) {
      const id = idAt(Date.now());
      const signed = JSON.stringify(envelope(zoo.forge, { id, ...wrong }));
      fs.writeFileSync(`${zoo.mailbox.new}/${id}.alice.json`, sealed(zoo.forge, { from: 'alice', signed }));
    }
    await zoo.room.agent(member.address).leave();
  }
  expect(await readAll(zoo.bob)).toEqual([]);

  const lines = new TextDecoder('utf-8', { fatal: true }).decode(logBytes()).split('\n');
  expect(lines.filter((line) => !isClean(line))).toEqual([]);
  expect(lines.map((line) => formatLogLine(line)).filter((line) => !isClean(line))).toEqual([]);
  const counts = { records: 0, bytes: logBytes().length };
  for (const line of lines.filter(Boolean)) {
    expect(JSON.parse(line)).toMatchObject({ time: expect.any(String), event: expect.any(String) });
    counts.records += 1;
  }
  for (const reason of fs.readdirSync(zoo.mailbox.refused).filter((name) => name.endsWith('.why.json'))) {
    expect(isClean(fs.readFileSync(`${zoo.mailbox.refused}/${reason}`, 'utf8').trimEnd())).toBe(true);
  }
  console.log(`${TEXTS.length} hostile texts: ${JSON.stringify(counts)}`);
});

test('a line of the log is shown as one clean line, whoever wrote it and whatever it contains', () => {
  const records: unknown[] = [null, 17, [], {}, 'text', { event: 7 }, { event: {}, to: [{}] }, { event: 'x', id: 7 }];
  for (const text of [...Object.values(HOSTILE_TEXT), ALL_HOSTILE_TEXT, '\ud800', '\udc00x']) {
    for (const field of ['time', 'event', 'id', 'from', 'to', 'type', 'content', 'outcome', 'detail', 'other']) {
      records.push({ time: 't', event: 'sent', [field]: text }, { time: 't', event: 'sent', [field]: [text] });
      records.push({ time: 't', event: 'sent', [field]: { [text]: text } }, { [field]: text });
    }
    records.push(text);
  }
  const lines = records.flatMap((record) => [JSON.stringify(record), String(record)]);
  expect(lines.filter((line) => !isClean(formatLogLine(line)))).toEqual([]);
  console.log(`${lines.length} lines shown`);
});
