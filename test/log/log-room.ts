import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Host } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { initRoom } from '../../src/index.ts';
import { openLog, type EventLog, type LogLimits } from '../../src/log/event-log.ts';
import { rotatedLogs } from '../../src/log/read-log.ts';
import { roomLayout, type RoomLayout } from '../../src/message/layout.ts';

const LIMITS: LogLimits = { logBytesMax: 10_000_000, logFilesKept: 5, logContentChars: 200 };

/** An empty room, for its log alone. */
export interface LogRoom extends Disposable {
  readonly layout: RoomLayout;
  open(options?: { host?: Partial<Host>; limits?: Partial<LogLimits> }): EventLog;
  /** The lines of the log, without empty ones. */
  lines(): string[];
  /** The names of the set-aside logs, oldest first. */
  asides(): string[];
}

export async function openLogRoom(limits: Partial<LogLimits> = {}): Promise<LogRoom> {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-log-'));
  const { directory } = await initRoom({ cwd: base, limits });
  const layout = roomLayout(directory);
  fs.rmSync(layout.log);
  return {
    layout,
    open: (options = {}) =>
      openLog({ ...nodeHost, ...options.host }, { layout, limits: { ...LIMITS, ...options.limits } }),
    lines: () => linesOf(layout.log),
    asides: () => rotatedLogs(nodeHost, layout),
    [Symbol.dispose]: () => fs.rmSync(base, { recursive: true, force: true }),
  };
}

export function linesOf(file: string): string[] {
  return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
}
