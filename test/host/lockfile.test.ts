import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { lockfile } from '../../src/host/lockfile.ts';

const SIGNALS = Object.keys(os.constants.signals) as NodeJS.Signals[];

it('holds a lock without listening for signals, so that each keeps its default action', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'lockfile-'));
  try {
    const before = SIGNALS.map((signal) => process.listenerCount(signal));
    const release = await lockfile.smooth(path.join(directory, 'rate'), { waitMsMax: 0 });
    expect(fs.existsSync(path.join(directory, 'rate.lock'))).toBe(true);
    expect(SIGNALS.map((signal) => process.listenerCount(signal))).toEqual(before);
    await release();
    expect(fs.existsSync(path.join(directory, 'rate.lock'))).toBe(false);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
});
