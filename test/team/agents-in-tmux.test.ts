import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { initRoom, openRoom } from 'agent-mailroom';
import { endTeam, startTeam, type AgentProgram } from '../../machines/team/agents.ts';
import { skipWithoutTmux } from '../nudge/tmux-server.ts';

const LIBRARY = pathToFileURL(path.join(import.meta.dirname, '../../dist/index.js')).href;
/** Joins and records how it was started. */
const AGENT = `
import fs from 'node:fs';
import { openRoom } from ${JSON.stringify(LIBRARY)};
const room = await openRoom();
fs.writeFileSync(process.env.MAILROOM_AS + '.json', JSON.stringify({ words: process.argv.slice(2), cwd: process.cwd() }));
await room.join(process.env.MAILROOM_AS);
setInterval(() => {}, 1_000);
`;

let outer: string;
beforeEach(() => {
  outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-panes-')));
  // A tmux server of its own.
  vi.stubEnv('TMUX_TMPDIR', outer);
  vi.stubEnv('TMUX', '');
});
afterEach(() => {
  spawnSync('tmux', ['kill-server']);
  vi.unstubAllEnvs();
  fs.rmSync(outer, { recursive: true, force: true });
});

/** Root cause: tmux took a word that ends in `;` for the end of its command, and the rest for another command. */
test.skipIf(skipWithoutTmux)('starts each agent in a pane with its exact arguments and directory', async () => {
  const directory = path.join(outer, "a;b #{pid} #(touch owned) 'c'");
  fs.mkdirSync(directory);
  const script = path.join(outer, 'agent.mjs');
  fs.writeFileSync(script, AGENT);
  await initRoom({ cwd: directory });
  await using room = await openRoom({ directory: path.join(directory, '.mailroom') });
  const words = ['first;', 'set-option', '-g', '@owned', '1', 'a\\;', ';', '#{pid}', '$(touch owned)', 'two words'];
  const agents: AgentProgram[] = ['ada', 'ben'].map((address) => ({
    address,
    file: process.execPath,
    args: [script, ...words],
  }));
  const { started } = await startTeam(room, {
    agents,
    directory,
    session: 'mailroom-test-1',
    signal: new AbortController().signal,
  });
  expect(started).toEqual(['ada', 'ben']);
  for (const { address } of agents) {
    const said: unknown = JSON.parse(fs.readFileSync(path.join(directory, `${address}.json`), 'utf8'));
    expect(said).toEqual({ words, cwd: directory });
  }
  expect(spawnSync('tmux', ['show-options', '-gqv', '@owned'], { encoding: 'utf8' }).stdout).toBe('');
  expect(fs.existsSync(path.join(directory, 'owned'))).toBe(false);
  await endTeam(room, agents);
});
