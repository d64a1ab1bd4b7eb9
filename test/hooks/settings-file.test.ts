import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { addHooks, removeHooks } from '../../src/hooks/install/install-hooks.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-settings-'));
  file = path.join(directory, 'settings.json');
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

/** The host, with a step of the program whose settings these are right before the file is replaced. */
function whileStaged(step: () => void): typeof nodeHost {
  const files = Object.create(nodeHost.files) as typeof nodeHost.files;
  files.chmod = (target, mode) => {
    nodeHost.files.chmod(target, mode);
    if (!target.endsWith('.mailroom-backup')) step();
  };
  return { ...nodeHost, files };
}

it('never overwrites what the program has written meanwhile', async () => {
  fs.writeFileSync(file, '{"a": 1}');
  const host = whileStaged(() => fs.writeFileSync(file, '{"a": 2}'));
  const added = addHooks(host, { program: 'claude', path: file });
  await expect(added).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(file) });
  expect(fs.readFileSync(file, 'utf8')).toBe('{"a": 2}');
  expect(fs.readdirSync(directory).sort()).toEqual(['settings.json', 'settings.json.mailroom-backup']);
  // The backup of that attempt is not taken for what was there before the next one.
  await addHooks(nodeHost, { program: 'claude', path: file });
  await removeHooks(nodeHost, { program: 'claude', path: file });
  expect(fs.readFileSync(file, 'utf8')).toBe('{"a": 2}');
  expect(fs.readdirSync(directory)).toEqual(['settings.json']);
});

it('leaves every entry that is not of this program’s own hooks', async () => {
  const others = [
    'mailroom hook codex Stop',
    'mailroom hook claude Stop && notify-send done',
    'command -v mailroom >/dev/null 2>&1 && exec mailroom hook gemini Stop || true',
    '[ -x /a ] && [ -e /b ] && exec /a /c hook claude Stop || true',
  ];
  const group = { hooks: others.map((command) => ({ type: 'command', command })) };
  fs.writeFileSync(file, JSON.stringify({ hooks: { Stop: [group] } }));
  await removeHooks(nodeHost, { program: 'claude', path: file });
  expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toEqual({ hooks: { Stop: [group] } });
});

it('removes only its own command from a shared group, and a command written by hand', async () => {
  const lint = { type: 'command', command: 'lint' };
  const own = { type: 'command', command: 'MAILROOM_AS=bob mailroom hook claude Stop' };
  fs.writeFileSync(file, JSON.stringify({ hooks: { Stop: [{ hooks: [lint, own] }, { hooks: [own] }] } }));
  expect(await removeHooks(nodeHost, { program: 'claude', path: file })).toMatchObject({ state: 'removed' });
  expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toEqual({ hooks: { Stop: [{ hooks: [lint] }] } });
});

it('keeps what a sandbox was allowed before', async () => {
  const text = '{"sandbox": {"filesystem": {"allowWrite": ["/r/.mailroom"]}}}';
  fs.writeFileSync(file, text);
  const place = { program: 'claude', path: file, room: '/r/.mailroom' } as const;
  expect(await removeHooks(nodeHost, place)).toMatchObject({ state: 'absent' });
  expect(fs.readFileSync(file, 'utf8')).toBe(text);
  await addHooks(nodeHost, { ...place, isRoomWritable: true });
  expect(fs.readFileSync(file, 'utf8').match(/\/r\/\.mailroom/g)).toHaveLength(1);
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('{"sandbox"', '{"x": 1, "sandbox"'));
  await removeHooks(nodeHost, place);
  expect(fs.readFileSync(file, 'utf8')).toBe(text.replace('{"sandbox"', '{"x": 1, "sandbox"'));
});
