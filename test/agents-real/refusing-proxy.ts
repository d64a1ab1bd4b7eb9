import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes the place of the internet: whatever a program asks for beyond loopback is refused at once. */
export interface RefusingProxy extends AsyncDisposable {
  readonly url: string;
}

export async function startRefusingProxy(): Promise<RefusingProxy> {
  const server = http.createServer((_, response) => void response.writeHead(403).end());
  server.on('connect', (_, socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
