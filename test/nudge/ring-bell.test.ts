import { expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import type { FileFacts, FileSystem, Host } from '../../src/runtime.ts';
import { ringBell } from '../../src/room/nudge.ts';

/** A host on which every path opens as this kind of file, and records what was opened and written. */
function hostWith(kind: FileFacts['kind'], written = 1): { host: Host; calls: string[] } {
  const calls: string[] = [];
  const files: FileSystem = {
    ...nodeHost.files,
    open: (path) => calls.push(`open ${path}`),
    fstat: () => ({ kind, size: 0, mtimeMs: 0, ino: 1, dev: 1, nlink: 1, uid: 0, mode: 0 }),
    write: (_fd, bytes) => {
      calls.push(`write ${Buffer.from(bytes).toString('hex')}`);
      return written;
    },
    close: () => void calls.push('close'),
  };
  return { host: { ...nodeHost, files }, calls };
}

test.each(['/dev/pts/12', '/dev/ttys003'])('rings at %s with one byte', (tty) => {
  const { host, calls } = hostWith('device');
  expect(ringBell(host, tty)).toBeUndefined();
  expect(calls).toEqual([`open ${tty}`, 'write 07', 'close']);
});

test.each([
  '',
  '/dev/watchdog',
  '/dev/null',
  '/dev/pts/../sda',
  '/dev/pts/1/x',
  '/tmp/dev/pts/1',
  '/etc/passwd',
  'pts/1',
])('does not even open %j, whatever a tmux server says', (path) => {
  const { host, calls } = hostWith('device');
  expect(ringBell(host, path)).toContain('is not the path of a terminal');
  expect(calls).toEqual([]);
});

test('writes nothing into a file that is where a terminal was', () => {
  const { host, calls } = hostWith('file');
  expect(ringBell(host, '/dev/pts/12')).toBe('/dev/pts/12 is not a terminal');
  expect(calls).toEqual(['open /dev/pts/12', 'close']);
});

test('says so if the terminal takes no byte', () => {
  expect(ringBell(hostWith('device', 0).host, '/dev/pts/12')).toBe('/dev/pts/12 accepts no output');
  expect(ringBell(nodeHost, '/dev/pts/99999999')).toBe('/dev/pts/99999999 accepts no output (ENOENT)');
});
