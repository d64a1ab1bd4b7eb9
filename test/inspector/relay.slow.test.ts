import { createWebSocketInspector } from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Inspector, inspectRoom, startInspector } from '../../src/cli/start-inspector.ts';
import type { WireEvent } from '../../src/inspector/wire.ts';
import { Conflict, InvalidInput } from '../../src/errors.ts';
import { contextOf } from '../../src/room/room.ts';
import { until } from '../hostile/until.ts';
import { lateView, receive, receiveAsPackage } from './receiving.ts';
import { createShippedRoom, MACHINE_FILE, type ShippedRoom } from './shipped-room.ts';

const ROOT = path.dirname(path.dirname(import.meta.dirname));

const FILES = { named: [MACHINE_FILE], words: [] };

let shipped: ShippedRoom;
let past: WireEvent[];
beforeAll(async () => {
  shipped = await createShippedRoom();
  await shipped.ship();
  past = [];
  for await (const event of inspectRoom(contextOf(shipped.room), { cwd: ROOT, files: FILES, warn: () => {} }))
    past.push(event);
});
afterAll(() => shipped[Symbol.asyncDispose]());

const open: Inspector[] = [];
afterEach(async () => {
  for (const inspector of open.splice(0)) await inspector.close();
});

async function start(options: Partial<Parameters<typeof startInspector>[1]> = {}): Promise<Inspector> {
  const program = import.meta.filename;
  const inspector = await startInspector(contextOf(shipped.room), {
    cwd: ROOT,
    files: FILES,
    program,
    warn: () => {},
    ...options,
  });
  open.push(inspector);
  return inspector;
}

describe('the relay', () => {
  it('sends every event to every viewer, also to late ones, actors first', async () => {
    const { url } = await start();
    const early = receive(url);
    await early.count(past.length);
    const late = [receive(url), receive(url), receive(url)];
    const expected = lateView(past);
    for (const one of late) expect(await one.count(expected.length)).toEqual(expected);
    expect(early.events.toSorted(byId)).toEqual(past.toSorted(byId));
    console.log(`${past.length} events to one viewer, ${expected.length} to each of ${late.length} late ones`);
  });

  it('keeps sending new events, also of workflows that did not exist at the start, until it is closed', async () => {
    const inspector = await start({ addresses: ['later'] });
    const viewer = receive(inspector.url);
    await shipped.ship({ address: 'later' });
    await until('it is live', () => viewer.events.length > 0);
    await inspector.close();
    const sessions = new Set(viewer.events.map(({ sessionId }) => sessionId));
    expect([...sessions].filter((one) => one.startsWith('later.'))).toHaveLength(1);
    expect([...sessions].filter((one) => one.startsWith('ship'))).toEqual([]);
    expect(viewer.events.at(-1)).toMatchObject({ type: '@xstate.snapshot', snapshot: { status: 'done' } });
    console.log(`${viewer.events.length} events live`);
  });

  it('is reachable at 127.0.0.1 and at no other address of this machine', async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    const addresses = Object.values(os.networkInterfaces())
      .flatMap((one) => one ?? [])
      .map(({ address, family, scopeid }) => (family === 'IPv6' && scopeid ? `${address}%${scopeid}` : address));
    const others = [...addresses.filter((one) => one !== '127.0.0.1'), '127.0.0.2'];
    expect(await connects('127.0.0.1', port)).toBe(true);
    console.log(`refused at ${others.join(', ')}`);
    for (const address of others) expect([address, await connects(address, port)]).toEqual([address, false]);
  });

  it('accepts no page of another site, nor of a name that resolves to this machine', async () => {
    const { url } = await start();
    const { port, host } = new URL(url);
    const own = { host };
    const cases: [string, http.OutgoingHttpHeaders, number, string?][] = [
      ['no page', own, 101],
      ['its own page', { ...own, origin: `http://127.0.0.1:${port}` }, 101],
      ['its own page, by name', { host: `localhost:${port}`, origin: `http://localhost:${port}` }, 101],
      ['the viewer, which gets the events from its own page', { ...own, origin: 'https://stately.ai' }, 403],
      ['another site', { ...own, origin: 'https://evil.example' }, 403],
      ['a file', { ...own, origin: 'null' }, 403],
      ['another port', { ...own, origin: `http://127.0.0.1:${Number(port) + 1}` }, 403],
      ['a rebound name', { host: `evil.example:${port}`, origin: `http://evil.example:${port}` }, 421],
      ['another path', own, 404, '/elsewhere'],
    ];
    for (const [what, headers, status, at] of cases) {
      expect([what, await upgrade(port, headers, at)]).toEqual([what, status]);
    }
  });

  it('sends nothing to another user of this machine, who can reach the port but does not know the token', async () => {
    const [mine, other] = [await start(), await start()];
    const [token, otherToken] = [mine, other].map(({ url }) => new URL(url).hash.slice(1));
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(token).not.toBe(otherToken);
    const silent = receive(mine.url, '');
    for (const guess of ['x', otherToken ?? '', `${token}0`, (token ?? '').slice(1), 'ü'.repeat(32)]) {
      const guessing = receive(mine.url, guess);
      expect([guess, await guessing.closed, guessing.events]).toEqual([guess, 1008, []]);
    }
    await receive(mine.url).count(past.length);
    expect(silent.events).toEqual([]);
    await mine.close();
    expect(silent.events).toEqual([]);
  });

  it('serves only the page with the viewer', async () => {
    const { url: whole } = await start();
    const [url = '', token = ''] = whole.split('#');
    const page = await fetch(url);
    const html = await page.text();
    expect(html).toContain('<iframe id="viewer" title="Stately inspector" data-src="https://stately.ai/inspect">');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const script = await (await fetch(`${url}bridge.js`)).text();
    expect([html.includes(token), script.includes(token)]).toEqual([false, false]);
    expect((await fetch(`${url}bridge.js`)).headers.get('content-type')).toContain('text/javascript');
    expect((await fetch(`${url}journal`)).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(404);
  });

  it('says what to do if the package is missing or the port is taken', async () => {
    const elsewhere = { cwd: shipped.directory, program: path.join(shipped.directory, 'mailroom.cjs') };
    const missing = await start(elsewhere).catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(InvalidInput);
    expect(missing).toMatchObject({ hint: 'npm install @statelyai/inspect' });
    const { url } = await start();
    const taken = await start({ port: Number(new URL(url).port) }).catch((error: unknown) => error);
    expect(taken).toBeInstanceOf(Conflict);
  });
});

describe("the package's own relay", () => {
  it('passes the same events on to its own client', async () => {
    const port = await freePort();
    const server = createInspectorServer({ port, autoOpen: false });
    const url = `ws://127.0.0.1:${port}`;
    const sender = createWebSocketInspector({ url });
    try {
      const receiver = receiveAsPackage(url);
      type Sent = Parameters<typeof sender.adapter.send>[0];
      for (const event of past) sender.adapter.send(event as unknown as Sent);
      expect(await receiver.count(past.length)).toEqual(past);
      console.log(`${past.length} events through the relay of the package`);
    } finally {
      sender.stop();
      server.stop();
    }
  });
});

function byId(a: WireEvent, b: WireEvent): number {
  return a.id < b.id ? -1 : 1;
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.on('connect', () => end(true)).on('error', () => end(false));
  });
}

/** The status that an upgrade to a websocket is answered with. */
function upgrade(port: string, headers: http.OutgoingHttpHeaders, at = '/'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1',
      port,
      path: at,
      headers: {
        ...headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16, 7).toString('base64'),
      },
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    request.on('response', (response) => {
      response.destroy();
      resolve(response.statusCode);
    });
    request.on('error', reject);
    request.end();
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
