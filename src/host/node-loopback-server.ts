import { nodeCrypto } from './node-crypto.ts';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Listener, LoopbackOptions, LoopbackServer, StartLoopbackServer } from './loopback-server.ts';

const LOOPBACK = '127.0.0.1';
/** A client sends its token and nothing else. */
const INCOMING_BYTES_MAX = 1024;
/** Timeout for the token of a client. */
const TOKEN_MS_MAX = 5_000;
/** How long the other side may take to close before the connection is cut. */
const CLOSE_MS_MAX = 500;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;

/** The part of the package `ws` used here. */
interface Ws {
  readonly WebSocketServer: new (options: { noServer: true; maxPayload: number; perMessageDeflate: false }) => WsServer;
}
interface WsServer {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (socket: WsSocket) => void): void;
}
interface WsSocket {
  send(data: Uint8Array, options: { binary: false }, done: (error?: Error) => void): void;
  on(event: 'close' | 'error', listener: () => void): void;
  once(event: 'message', listener: (data: Uint8Array) => void): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

/** A loopback server that speaks websocket through the copy of `ws` that belongs to the module at this URL. */
export function nodeLoopbackServer(ownerUrl: string): StartLoopbackServer {
  return async (options) => {
    const { WebSocketServer } = createRequire(fileURLToPath(ownerUrl))('ws') as Ws;
    const { createServer } = await import('node:http');
    const sockets = new Set<WsSocket>();
    const speaker = new WebSocketServer({ noServer: true, maxPayload: INCOMING_BYTES_MAX, perMessageDeflate: false });
    const server = createServer((request, response) => answer(request, response, { server, options }));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const refusal = refusalOf(request, { port: portOf(server), options, listeners: sockets.size });
      if (refusal !== undefined) {
        socket.on('error', () => {});
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      speaker.handleUpgrade(request, socket, head, (connected) => {
        sockets.add(connected);
        connected.on('close', () => sockets.delete(connected));
        const listener = createListener(connected);
        void knowsToken(connected, options.token).then((knows) => {
          if (knows) options.onListener(listener);
          else connected.close(POLICY_VIOLATION, 'the token is missing or wrong');
        });
      });
    });
    await listen(server, options.port);
    // The caller says how long it is needed; the server itself keeps no process alive.
    server.unref();
    return { port: portOf(server), close: createClose(server, sockets) };
  };
}

/** Whether the first message of a connection is the token. */
async function knowsToken(socket: WsSocket, token: string): Promise<boolean> {
  const expected = Buffer.from(token);
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), TOKEN_MS_MAX);
    socket.once('message', (data) => {
      clearTimeout(late);
      resolve(data.length === expected.length && nodeCrypto().timingSafeEqual(data, expected));
    });
    socket.on('close', () => {
      clearTimeout(late);
      resolve(false);
    });
  });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function answer(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  { server, options }: { server: Server; options: LoopbackOptions },
): void {
  const page = options.pages.get((url ?? '').split('?')[0] ?? '');
  const isKnown = page && (method === 'GET' || method === 'HEAD') && isOwnHost(headers.host, portOf(server));
  response.writeHead(isKnown ? 200 : 404, {
    'Content-Type': isKnown ? page.contentType : 'text/plain',
    'Content-Security-Policy': options.policy,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    Connection: 'close',
  });
  response.end(isKnown ? page.body : 'not here\n');
}

/**
 * Why a connection is refused before its token is asked for. Every page shown by a browser can reach this machine's
 * ports, so the origin must be this server's own; a name that somebody points at 127.0.0.1 (DNS rebinding) is not one
 * of its names.
 */
function refusalOf(
  { headers, url }: IncomingMessage,
  { port, options, listeners }: { port: number; options: LoopbackOptions; listeners: number },
): string | undefined {
  if (!isOwnHost(headers.host, port)) return '421 Misdirected Request';
  if ((url ?? '').split('?')[0] !== '/') return '404 Not Found';
  const { origin } = headers;
  const isOwn = origin === undefined || NAMES.some((name) => origin === `http://${name}:${port}`);
  if (!isOwn) return '403 Forbidden';
  return listeners >= options.listenersMax ? '503 Service Unavailable' : undefined;
}

const NAMES = [LOOPBACK, 'localhost'];

function isOwnHost(host: string | undefined, port: number): boolean {
  return NAMES.some((name) => host === `${name}:${port}` || (port === 80 && host === name));
}

function createListener(socket: WsSocket): Listener {
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  // An error ends in a close.
  socket.on('error', () => {});
  return {
    gone: gone.signal,
    send: (text) =>
      new Promise((resolve) => {
        if (gone.signal.aborted) return resolve();
        const end = (): void => {
          gone.signal.removeEventListener('abort', end);
          resolve();
        };
        // A socket that was cut may never report the outcome of a write.
        gone.signal.addEventListener('abort', end, { once: true });
        socket.send(text, { binary: false }, end);
      }),
    end: (reason) => socket.close(GOING_AWAY, reason),
  };
}

function createClose(server: Server, sockets: ReadonlySet<WsSocket>): LoopbackServer['close'] {
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.close(GOING_AWAY, 'the end');
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.terminate();
      server.closeAllConnections();
    }, CLOSE_MS_MAX);
    server.closeIdleConnections();
    await closed;
    clearTimeout(cut);
  };
}
