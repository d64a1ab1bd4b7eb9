import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initRoom } from '../../src/index.ts';
import { timeOfId } from '../../src/message/message-id.ts';
import { isPythonThere, startPythonClient, type PythonClient } from './python-client.ts';
import { readVectors } from './vectors.ts';

describe.skipIf(!isPythonThere())('the client in Python agrees with the vectors', () => {
  const vectors = readVectors();
  let directory: string;
  let python: PythonClient;
  beforeAll(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-foreign-'));
    python = startPythonClient();
  });
  afterAll(async () => {
    await python.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  test('on every message, good and bad, with exactly its reason', async () => {
    const messages = vectors.messages['hmac-sha256'];
    const { roomKey } = vectors.keys['hmac-sha256'];
    const said = await python.ask<string[]>('verdicts', { vectors: messages, roomKey });
    const compared = messages.cases.map(({ what, verdict }, index) => ({ what, verdict, said: said[index] }));
    expect(compared.filter((one) => one.said !== one.verdict)).toEqual([]);
    console.log(`judged by Python: ${compared.length} messages`);
  });

  test('on names, ids, days and the order of a drain', async () => {
    const { names, ids, orders } = vectors;
    const { early } = orders;
    const both = ({ are, areNot }: { are: readonly string[]; areNot: readonly string[] }) => [...are, ...areNot];
    const said = await python.ask<Record<string, unknown[]>>('judge', {
      addresses: both(names.addresses),
      types: both(names.types),
      messageNames: names.messageNames.map(({ name }) => name),
      claimNames: names.claims.names.map(({ fileName }) => fileName),
      ids: [...ids.ids.map(({ id }) => id), ...ids.areNot],
      days: ids.ids.map(({ id }) => id),
      listing: orders.listing,
      early: { names: early.listing, now: early.nowMs, skew_ms_max: early.clockSkewMsMax },
    });
    const verdicts = (judged: { are: readonly string[]; areNot: readonly string[] }) => [
      ...judged.are.map(() => true),
      ...judged.areNot.map(() => false),
    ];
    expect(said).toEqual({
      addresses: verdicts(names.addresses),
      types: verdicts(names.types),
      messageNames: names.messageNames.map(({ means }) => means && [means.id, means.from]),
      claimNames: names.claims.names.map(({ means }) => means && [means.name, means.attempt, means.untilMs]),
      ids: [...ids.ids.map(() => true), ...ids.areNot.map(() => false)],
      days: ids.ids.map(({ timeMs, day }) => [timeMs, day]),
      early: early.early,
      ceilings: vectors.messages['hmac-sha256'].ceilings,
      drained: orders.drained,
    });
  });

  test('on rate counters, complete, torn and damaged', async () => {
    const { counters } = vectors;
    const directories = counters.cases.map(({ files }, index) => {
      const where = path.join(directory, String(index));
      fs.mkdirSync(where);
      for (const { name, bytesBase64 } of files) {
        fs.writeFileSync(path.join(where, name), Buffer.from(bytesBase64, 'base64'));
      }
      return where;
    });
    const said = await python.ask<unknown[]>('counters', { vectors: counters, directories });
    const compared = counters.cases.map(({ what, says }, index) => ({ what, says, said: said[index] }));
    expect(compared.map(({ what, said: says }) => ({ what, says }))).toEqual(
      compared.map(({ what, says }) => ({ what, says })),
    );
    console.log(`judged by Python: ${compared.length} counters`);
  });

  test('its ids rise as the library demands, until the clock was set back too far', async () => {
    const { clockSkewMsMax } = vectors.ids;
    const times = [1_700_000_000_000, 1_700_000_000_000, 1_699_999_999_000, 1_700_000_000_001, 2 ** 47];
    const made = await python.ask<string[]>('ids', { times: times.flatMap((time) => [time, time]), clockSkewMsMax });
    const [before, , , after] = times;
    const [, , restarted] = await python.ask<string[]>('ids', {
      times: [after, after, (before ?? 0) - clockSkewMsMax],
      clockSkewMsMax,
    });
    expect(timeOfId(restarted ?? '')).toBe((before ?? 0) - clockSkewMsMax);
    const judged = await python.ask<{ ids: boolean[] }>('judge', {
      addresses: [],
      types: [],
      messageNames: [],
      claimNames: [],
      days: [],
      listing: [],
      early: { names: [], now: 0, skew_ms_max: 0 },
      ids: made,
    });
    expect(judged.ids.every(Boolean)).toBe(true);
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
  });

  test('a room that signs with Ed25519 is refused in words, not read without verifying', async () => {
    const room = path.join(directory, 'ed25519');
    fs.mkdirSync(room);
    await initRoom({ cwd: room, algorithm: 'ed25519' });
    const joining = python.ask('join', { room: path.join(room, '.mailroom'), as: 'alice' });
    await expect(joining).rejects.toMatchObject({
      code: 'ROOM_REFUSED',
      message: expect.stringContaining('signs with ed25519, which Python') as string,
    });
    expect(fs.readdirSync(path.join(room, '.mailroom', 'actors'))).toEqual([]);
  });
});
