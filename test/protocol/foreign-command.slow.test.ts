import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPythonThere, startPythonClient, type PythonClient } from './python-client.ts';
import { createSharedRoom, takeAll, type SharedRoom } from './shared-room.ts';

const CLIENT = path.join(import.meta.dirname, '..', '..', 'fixtures', 'clients', 'mailroom.py');

describe.skipIf(!isPythonThere())('the client in Python as a command', () => {
  let python: PythonClient;
  let shared: SharedRoom;
  beforeAll(async () => {
    python = startPythonClient();
    shared = await createSharedRoom(python);
    await shared.room.join('alice');
  });
  afterAll(async () => {
    await shared[Symbol.asyncDispose]();
    await python.close();
  });

  const run = (...words: string[]) => {
    const args = ['-B', CLIENT, '--room', shared.directory, '--as', 'bob', ...words];
    const { status, stdout, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
    const lines = stdout.split('\n').filter((line) => line !== '');
    return { status, stderr, said: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  };

  test('a shell joins, sends, reads and acknowledges, and what it prints is safe to print', async () => {
    expect(run('join')).toEqual({ status: 0, stderr: '', said: [] });
    const sent = run('send', 'alice', 'QUESTION', '--', '-ready?');
    expect(sent.status).toBe(0);
    const [mail] = await takeAll(shared.room, 'alice');
    expect(mail?.message).toMatchObject({ id: sent.said[0]?.['id'], from: 'bob', content: '-ready?' });
    const hostile = 'yes\u001b[2J\u2028\u202e';
    await shared.room.agent('alice').send({ to: 'bob', type: 'INFO', content: hostile });
    const { id } = await shared.room.agent('alice').send({ to: 'bob', type: 'INFO', content: 'second' });
    const held = run('read', '--hold', '--limit', '1');
    expect(held.said).toMatchObject([{ content: hostile, verified: true, attempt: 1 }]);
    expect(run('ack', String(held.said[0]?.['id']).slice(-8)).status).toBe(0);
    expect(run('read').said).toMatchObject([{ content: 'second' }]);
    expect(run('read').said).toEqual([]);
    expect(shared.room.status(id)).toMatchObject([{ state: 'acknowledged' }]);
    expect(shared.where('bob').every((one) => one.startsWith('done/'))).toBe(true);
  });

  test.each([
    { words: ['send', 'carol', 'INFO', 'x'], status: 3, stderr: 'ACTOR_NOT_FOUND: nobody has joined as carol' },
    { words: ['send', '../alice', 'INFO', 'x'], status: 2, stderr: 'INVALID_INPUT: ' },
    { words: ['send', 'alice', 'INFOS', 'x'], status: 2, stderr: 'INVALID_INPUT: nobody declares the message type' },
    { words: ['ack', '00000000'], status: 6, stderr: 'CONFLICT: you hold no message' },
    { words: ['read', '--wait', '0.01'], status: 4, stderr: '' },
  ])('$words ends with $status and one line', ({ words, status, stderr }) => {
    const ended = run(...words);
    expect(ended).toMatchObject({ status, stderr: expect.stringContaining(stderr) as string, said: [] });
    expect(ended.stderr.split('\n').length).toBeLessThanOrEqual(2);
  });
});
