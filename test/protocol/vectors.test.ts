import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChainFile } from '../../src/chain/chain-file.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { inRounds } from '../../src/mailbox/drain.ts';
import { createEarlyTest } from '../../src/mailbox/early.ts';
import { isAddress } from '../../src/message/address.ts';
import { claimFileName, parseClaimFileName, parseMessageFileName, roomLayout } from '../../src/message/layout.ts';
import { createIdSource, dayOfId, isMessageId, timeOfId } from '../../src/message/message-id.ts';
import { isMessageType } from '../../src/message/message-type.ts';
import { JSON_DEPTH_CEILING, MESSAGE_BYTES_CEILING } from '../../src/message/message.ts';
import { nearest } from '../../src/message/nearest.ts';
import { DEFAULT_LIMITS } from '../../src/room/limits.ts';
import { decideGrant } from '../../src/rate/counter.ts';
import { GrantHistory } from '../../src/rate/grants.ts';
import { openKeyring } from '../../src/signing/keyring.ts';
import { createOpener } from '../../src/signing/seal.ts';
import { layOutKeys, readVectors, VECTORS } from './vectors.ts';

/** Every reason for which a reader refuses bytes before it trusts them. */
const OPENING_REASONS = [
  ['bad-name', 'bad-frame', 'unknown-key', 'bad-signature', 'bad-encoding', 'bad-json', 'bad-envelope'],
  ['newer-version', 'wrong-name', 'wrong-room', 'wrong-recipient'],
].flat();

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-vectors-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

test('the committed vectors are what the generator makes with the current library', () => {
  const made = spawnSync(process.execPath, [path.join(VECTORS, 'generate.mjs'), directory], { encoding: 'utf8' });
  expect(made.stderr).toBe('');
  const names = fs.readdirSync(VECTORS).filter((name) => name.endsWith('.json'));
  expect(fs.readdirSync(directory).sort()).toEqual(names.sort());
  for (const name of names) {
    const isEqual = fs.readFileSync(path.join(directory, name)).equals(fs.readFileSync(path.join(VECTORS, name)));
    expect(isEqual, `${name}: run node fixtures/vectors/generate.mjs and look at the difference`).toBe(true);
  }
});

describe.each(['hmac-sha256', 'ed25519'] as const)('messages signed with %s', (algorithm) => {
  const { roomId, ceilings, cases } = readVectors().messages[algorithm];

  test('each is accepted or refused with exactly its reason, by keys read from files', () => {
    layOutKeys(directory, algorithm);
    const keyring = openKeyring({ host: nodeHost, layout: roomLayout(directory), roomId, algorithm });
    const wrong = cases.filter(({ name, reader, bytesBase64, verdict }) => {
      const opener = createOpener({ roomId, reader, keyring });
      const opened = opener.open(name, Buffer.from(bytesBase64, 'base64'));
      return ('refusal' in opened ? opened.refusal.reason : 'accepted') !== verdict;
    });
    expect(wrong.map(({ what }) => what)).toEqual([]);
    console.log(`${algorithm}: ${cases.length} messages judged`);
  });

  test('the ceilings are those of the format', () => {
    expect(ceilings).toEqual({ messageBytes: MESSAGE_BYTES_CEILING, jsonDepth: JSON_DEPTH_CEILING });
  });

  test('every reason has a case, and some messages are good', () => {
    expect(new Set(cases.map(({ verdict }) => verdict))).toEqual(new Set(['accepted', ...OPENING_REASONS]));
    expect(new Set(cases.map(({ what }) => what)).size).toBe(cases.length);
  });
});

test('names, ids, days and orders match the vectors', () => {
  const { names, ids, orders } = readVectors();
  expect(names.addresses.are.every(isAddress)).toBe(true);
  expect(names.addresses.areNot.some(isAddress)).toBe(false);
  expect(names.types.are.every(isMessageType)).toBe(true);
  expect(names.types.areNot.some(isMessageType)).toBe(false);
  for (const { name, means } of names.messageNames) expect(parseMessageFileName(name) ?? null).toEqual(means);
  for (const { fileName, means } of names.claims.names) expect(parseClaimFileName(fileName) ?? null).toEqual(means);
  const claims = names.claims.names.flatMap(({ fileName, means }) => (means ? [{ fileName, means }] : []));
  expect(claims.map(({ means }) => claimFileName(means))).toEqual(claims.map(({ fileName }) => fileName));
  expect(ids.ids.map(({ id }) => ({ id, timeMs: timeOfId(id), day: dayOfId(id), sentAt: isoOf(id) }))).toEqual(ids.ids);
  expect(ids.areNot.some(isMessageId)).toBe(false);
  const source = createIdSource((length) => Buffer.alloc(length, 0x5a));
  expect(ids.made.map(({ atMs }) => ({ atMs, id: source.next(atMs) }))).toEqual(ids.made);
  const { clockSkewMsMax } = ids;
  const restarting = createIdSource((length) => Buffer.alloc(length, 0x5a), {
    aheadMsMax: clockSkewMsMax,
    onRestart: () => {},
  });
  expect(ids.restarted.map(({ atMs }) => ({ atMs, id: restarting.next(atMs) }))).toEqual(ids.restarted);
  const { early } = orders;
  const clock = { ...nodeHost.clock, now: () => early.nowMs };
  const isEarly = createEarlyTest({
    host: { ...nodeHost, clock },
    limits: { ...DEFAULT_LIMITS, clockSkewMsMax: early.clockSkewMsMax },
  });
  expect(early.listing.filter(isEarly)).toEqual(early.early);
  expect(inRounds(orders.listing, orders.perSenderMax)).toEqual(orders.drained);
  expect(orders.nearest.map(({ wanted, among }) => nearest(wanted, among) ?? null)).toEqual(
    orders.nearest.map((one) => one.nearest),
  );
});

function isoOf(id: string): string {
  return new Date(timeOfId(id)).toISOString();
}

test('rate counters match the vectors', () => {
  const { limit, windowMs, nowMs, cases } = readVectors().counters;
  for (const [index, { what, files, says }] of cases.entries()) {
    const where = path.join(directory, String(index));
    fs.mkdirSync(where);
    for (const { name, bytesBase64 } of files) {
      fs.writeFileSync(path.join(where, name), Buffer.from(bytesBase64, 'base64'));
    }
    const history = new GrantHistory({ limit, windowMs, where });
    const read = (): unknown => {
      new ChainFile({
        host: nodeHost,
        directory: where,
        naming: { prefix: 'rate.', suffix: '' },
        segmentBytesMax: 1 << 20,
        segmentsKept: 2,
        durable: false,
        onRecord: (record) => history.apply(record),
        carry: () => history.carry(),
      }).close();
      return { ...(history.carry() as object), decision: decideGrant(history, nowMs, { limit, windowMs }) };
    };
    expect(outcomeOf(read), what).toEqual(says);
  }
  console.log(`counters: ${cases.length} judged`);
});

function outcomeOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return (error as { code?: string }).code === 'CHAIN_DAMAGED' ? 'damaged' : error;
  }
}

test('each reply record is named and signed as the document says', () => {
  const { roomId, question, answerId, cases } = readVectors().replies;
  for (const { algorithm, draft, path: recordPath, text } of cases) {
    const room = path.join(directory, algorithm);
    layOutKeys(room, algorithm);
    const keyring = openKeyring({ host: nodeHost, layout: roomLayout(room), roomId, algorithm });
    const { type, content, data, needsAck, expiresInMs } = draft;
    const said = JSON.stringify({ type, content, data, needsAck, expiresInMs });
    const hash = createHash('sha256').update(said).digest('hex');
    const { id, from } = question;
    expect(recordPath).toBe(`${dayOfId(id)}/${id}.${from}.json.${hash}.json`);
    const signed = JSON.stringify({ v: 1, room: roomId, record: 'reply', id: answerId, to: from, replyTo: id, hash });
    const { keyId, value } = keyring.signerOf('bob').sign(Buffer.from(signed));
    expect(text).toBe(`{"signed":${signed},"signature":{"keyId":"${keyId}","value":"${value}"}}`);
  }
  expect(cases).toHaveLength(8);
});
