import type { Page } from '../host/loopback-server.ts';

/** The official viewer. */
export const VIEWER_URL = 'https://stately.ai/inspect';

/** A page that frames the viewer, and the script that gives the viewer the events as the package's own server does. */
export function inspectPages(viewerUrl: string): ReadonlyMap<string, Page> {
  return new Map([
    ['/', { contentType: 'text/html; charset=utf-8', body: html(viewerUrl) }],
    ['/bridge.js', { contentType: 'text/javascript; charset=utf-8', body: BRIDGE }],
  ]);
}

/** The content security policy of these pages: nothing but the viewer, from its own site. */
export function inspectPolicy(viewerUrl: string): string {
  const { origin, protocol, host } = new URL(viewerUrl);
  return [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'unsafe-inline'`,
    `connect-src 'self' ws://127.0.0.1:* ws://localhost:*`,
    `frame-src ${origin} ${protocol}//*.${host}`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

function html(viewerUrl: string): string {
  const url = new URL(viewerUrl).href.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Mailroom: inspect</title>
<style>
  html, body { margin: 0; height: 100%; }
  body { display: flex; flex-direction: column; font: 13px system-ui, sans-serif; }
  iframe { flex: 1; border: 0; }
  p { margin: 0; padding: 4px 8px; }
</style>
<iframe id="viewer" title="Stately inspector" data-src="${url}"></iframe>
<p id="state" role="status">Waiting for the viewer at ${url}, which comes from the network.</p>
<script src="/bridge.js"></script>
</html>
`;
}

/**
 * The viewer says when it is ready, also after a reload; then it gets every event from the first on. The script accepts messages
 * only from the frame and answers only the origin that sent them. The token is in the fragment of the page's address, so that no
 * request and no other page carries it.
 */
const BRIDGE = `'use strict';
const viewer = document.getElementById('viewer');
const state = document.getElementById('state');
let socket;
window.addEventListener('message', ({ source, origin, data }) => {
  if (source !== viewer.contentWindow || !data || data.type !== '@statelyai.connected') return;
  if (socket) socket.onmessage = socket.onclose = null, socket.close();
  const token = location.hash.slice(1);
  if (!token) {
    state.textContent = 'Open the whole address that Mailroom printed, with what follows the #.';
    return;
  }
  socket = new WebSocket('ws://' + location.host + '/');
  socket.onopen = () => socket.send(token);
  let count = 0;
  socket.onmessage = (event) => {
    viewer.contentWindow.postMessage(JSON.parse(event.data), origin);
    state.textContent = 'Live from Mailroom: ' + ++count + ' events.';
  };
  socket.onclose = ({ code, reason }) => {
    if (code === 1008) state.textContent = 'Mailroom refused the token. Open the whole address that it printed.';
    else state.textContent = 'Mailroom has ended, ' + count + ' events' + (reason ? ' (' + reason + ')' : '') + '.';
  };
});
// Only now, because a viewer that is quick would say that it is ready before anybody listens.
viewer.src = viewer.dataset.src;
`;
