import fs from 'node:fs';
import { expect, test } from 'vitest';
import { ALL_HOSTILE_TEXT, HOSTILE_TEXT, isClean } from '../../fixtures/zoo/hostile-text.ts';
import { initRoom, MailroomError, openRoom } from '../../src/index.ts';
import { openZoo } from './zoo-room.ts';

/** The error that the call throws; it must be an error of Mailroom. */
async function errorOf(call: () => unknown): Promise<MailroomError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof MailroomError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('an error that quotes hostile input is clean in its message, its hint and its stack', async () => {
  await using zoo = await openZoo();
  const { alice, room, base, directory } = zoo;
  const draft = { to: 'bob', type: 'INFO', content: 'x' };
  const codes: Record<string, number> = {};
  const check = async (what: string, call: () => unknown): Promise<void> => {
    const { code, message, hint = '', stack = '' } = await errorOf(call);
    expect(isClean(message), `${what}: ${JSON.stringify(message)}`).toBe(true);
    expect(isClean(hint.replaceAll('\n', '')), `${what}: ${JSON.stringify(hint)}`).toBe(true);
    expect(isClean(stack.replaceAll('\n', '')), `${what}: ${JSON.stringify(stack)}`).toBe(true);
    codes[code] = (codes[code] ?? 0) + 1;
  };

  for (const text of [...Object.values(HOSTILE_TEXT), ALL_HOSTILE_TEXT, '\ud800']) {
    const inPath = text.replaceAll(/[\0/]/g, '?').slice(0, 60);
    await check('an address', () => room.join(text));
    await check('a recipient', () => alice.send({ ...draft, to: text }));
    await check('a sender', () => room.agent(text));
    await check('a type', () => alice.send({ ...draft, type: text }));
    await check('an id', () => alice.send({ ...draft, id: text }));
    await check('an answered id', () => alice.send({ ...draft, replyTo: text }));
    await check('a thread', () => alice.send({ ...draft, threadId: text.repeat(201) }));
    await check('a key of data', () => alice.send({ ...draft, data: { [text]: new Map() } }));
    await check('content', () => alice.send({ ...draft, content: `${text}\ud800` }));
    await check('a declared type', () => room.join('carol', { accepts: [text] }));
    await check('a status', () => room.status(text));
    await check('a room named', () => openRoom({ directory: inPath, cwd: base }));
    await check('a directory', () => openRoom({ cwd: `/nowhere/${inPath}` }));
    await check('a new room', () => initRoom({ cwd: base, directory: `${base}/no/${inPath}` }));
    await check('a limit', () =>
      initRoom({ directory: `${base}/other`, limits: JSON.parse(JSON.stringify({ [text]: 1 })) as object }),
    );
  }
  const configFile = `${directory}/room.json`;
  const config = JSON.parse(fs.readFileSync(configFile, 'utf8')) as Record<string, unknown>;
  const text = ALL_HOSTILE_TEXT;
  for (const wrong of [
    { algorithm: text },
    { limits: { [text]: 1 } },
    { limits: { pollMs: text } },
    { limits: text },
  ]) {
    fs.writeFileSync(configFile, JSON.stringify({ ...config, ...wrong }));
    await check('room.json', () => openRoom({ directory }));
  }
  fs.writeFileSync(configFile, JSON.stringify({ ...config, actors: { [text]: { [text]: 1 } } }));
  await check('room.json', () => openRoom({ directory }));
  fs.writeFileSync(configFile, `{"room": ${text}`);
  await check('room.json', () => openRoom({ directory }));

  await room.join('dave', { program: text, process: { pid: process.ppid, ...identityOf(process.ppid) } });
  await check('a program', () => room.join('dave'));
  console.log(`errors checked, by code: ${JSON.stringify(codes)}`);
});

/** Start time and boot id of a process, from proc(5). */
function identityOf(pid: number): { startTime: string; bootId: string } {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return { startTime, bootId: fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() };
}
