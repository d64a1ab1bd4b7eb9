import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotStarted } from '../../machines/team/options.ts';
import { readTeamFile, TEAM_FILE, teamFileSchema, withTeamFile } from '../../machines/team/team-file.ts';

const ROOT = path.join(import.meta.dirname, '../..');
let directory: string;
beforeEach(() => void (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-file-'))));
afterEach(() => fs.rmSync(directory, { recursive: true }));

const write = (content: unknown): void =>
  fs.writeFileSync(path.join(directory, TEAM_FILE), typeof content === 'string' ? content : JSON.stringify(content));

describe('mailroom.team.json', () => {
  it('may be missing', () => {
    expect(readTeamFile(directory)).toEqual({});
  });

  it('has the settings of a team, times in minutes', () => {
    write({
      agents: { alice: 'claude --model opus', bob: './mine' },
      setup: null,
      test: 'make test',
      report: { format: 'tap', path: '-' },
      testTimeout: '90s',
      agentTimeout: '2h',
      tries: 2,
    });
    expect(readTeamFile(directory)).toMatchObject({
      agents: [
        { address: 'alice', by: 'claude --model opus' },
        { address: 'bob', by: './mine' },
      ],
      setup: null,
      test: 'make test',
      report: { format: 'tap', path: '-' },
      testMinutes: 1.5,
      agentMinutes: 120,
      tries: 2,
    });
  });

  it('is overridden by the command line, option by option', () => {
    const file = { test: 'make test', setup: 'make deps', tries: 2 };
    const given = { test: 'npm test', setup: null, tries: undefined };
    expect(withTeamFile(given, file)).toEqual({ test: 'npm test', setup: null, tries: 2 });
  });

  it.each<readonly [content: unknown, said: RegExp]>([
    ['{', /cannot be read: .* Correct it and start again\.$/],
    ['[]', /: the file: .*expected object/],
    [{ agent: {} }, /Unrecognized key: "agent"/],
    [{ agents: { alice: 'claude' } }, /at least two agents/],
    [{ agents: { alice: 'claude', system: 'codex' } }, /system/],
    [{ testTimeout: '15' }, /testTimeout: expected a time of at most 24h/],
    [{ report: { format: 'junit', path: '../x.xml' } }, /report\.path: expected a path inside the checkout/],
    [{ tries: 0, rounds: 99 }, /tries: .*; rounds: /],
  ])('with %j is refused in one line that names the file and every fault', (content, said) => {
    write(content);
    let error: unknown;
    try {
      readTeamFile(directory);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(NotStarted);
    expect((error as NotStarted).message).toMatch(said);
    expect((error as NotStarted).message).toContain(TEAM_FILE);
    expect((error as NotStarted).message).not.toContain('\n');
  });

  it('has a published schema, which is the one that checks it; write it anew with npm run write:schema', () => {
    const published: unknown = JSON.parse(fs.readFileSync(path.join(ROOT, 'docs/team.schema.json'), 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(teamFileSchema())));
  });
});
