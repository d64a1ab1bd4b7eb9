import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { TEAM, wordsFor } from './one-task.ts';
import { TeamRun } from './team-run.ts';

it('delivers a feature whose pull request cannot be opened, prints how to open it, and ends with exit code 1', async () => {
  await using run = new TeamRun();
  run.addRemote('refuses');
  const { code, stdout, stderr } = await run.start(TEAM, { words: wordsFor(run) });
  expect({ code, stderr }, stdout).toEqual({ code: 1, stderr: '' });
  expect(stdout).toContain('The branch mailroom/numbers is ready');
  expect(stdout).toMatch(/The pull request could not be opened:\n {2}gh pr create failed \(1\): .*too quickly/);
  expect(stdout).toMatch(/\n {2}cd \S+ && gh pr create --head mailroom\/numbers --base main --title Numbers /);
  expect(fs.readFileSync(path.join(run.runs, 'numbers-1', 'ended'), 'utf8')).toBe('delivered\n');
});
