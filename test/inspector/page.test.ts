import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { inspectPages } from '../../src/inspector/page.ts';

interface FakeSocket {
  onclose?: (event: { code: number; reason: string }) => void;
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
}

/** Runs the page's script at an address, and lets its viewer say that it is ready. */
function runPage(hash: string) {
  const sockets: { url: string; socket: FakeSocket; sent: string[] }[] = [];
  const posted: unknown[] = [];
  const contentWindow = { postMessage: (data: unknown, origin: string) => posted.push([data, origin]) };
  const viewer = { contentWindow, dataset: { src: 'https://viewer.example/' }, src: '' };
  const elements = { viewer, state: { textContent: '' } };
  let hear: (event: object) => void = () => {};
  class WebSocket implements FakeSocket {
    onopen?: () => void;
    readonly send = (text: string): void => void this.#sent.push(text);
    readonly #sent: string[] = [];
    constructor(url: string) {
      sockets.push({ url, socket: this, sent: this.#sent });
    }
  }
  const context = createContext({
    document: { getElementById: (id: keyof typeof elements) => elements[id] },
    window: { addEventListener: (_: string, listener: typeof hear) => (hear = listener) },
    location: { host: '127.0.0.1:4', hash },
    WebSocket,
  });
  runInContext(inspectPages('https://viewer.example/').get('/bridge.js')?.body ?? '', context);
  expect(viewer.src).toBe('https://viewer.example/');
  const ready = { origin: 'https://viewer.example', data: { type: '@statelyai.connected' } };
  hear({ ...ready, source: {} });
  expect(sockets).toEqual([]);
  hear({ ...ready, source: contentWindow });
  return { sockets, posted, text: () => elements.state.textContent };
}

test('the page sends the token of its address first, and passes events only to its viewer', () => {
  const { sockets, posted, text } = runPage('#secret');
  const [{ url, socket, sent } = { url: '', socket: {} as FakeSocket, sent: [] }] = sockets;
  expect([url, sent]).toEqual(['ws://127.0.0.1:4/', []]);
  socket.onopen?.();
  expect(sent).toEqual(['secret']);
  socket.onmessage?.({ data: '{"type":"@xstate.actor"}' });
  expect(posted).toEqual([[{ type: '@xstate.actor' }, 'https://viewer.example']]);
  expect(text()).toContain('1 events');
  socket.onclose?.({ code: 1008, reason: '' });
  expect(text()).toContain('refused the token');
});

test('the page says what is wrong if its address lacks the token', () => {
  const { sockets, text } = runPage('');
  expect([sockets, text()]).toEqual([[], expect.stringContaining('Open the whole address')]);
});
