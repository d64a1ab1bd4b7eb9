import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';
import { splitLine } from '../../src/cli/command-spec.ts';
import { createCommands } from '../../src/cli/command-table.ts';
import { GROUPS, WHAT_MAIL_IS } from '../../src/cli/help-text.ts';
import { skillText } from '../../src/cli/skill-text.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const FILE = 'plugins/mailroom/skills/mailroom/SKILL.md';

function fail(line: string): never {
  throw new Error(`no such command: ${line}`);
}

const commands = createCommands(() => Promise.reject(new Error('no test runs a machine by this')));
const text = fs.readFileSync(path.join(ROOT, FILE), 'utf8');
const [, header = '', body = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(text) ?? [];

describe('the Agent Skill', () => {
  it('is what the table of commands makes of it', () => {
    expect(text, 'write it anew: npm run write:skill').toBe(skillText(commands));
  });

  it('has a header as agentskills.io/specification wants it', () => {
    const fields = header.split('\n').map((line) => /^([a-z-]+): (.+)$/.exec(line)?.slice(1) ?? []);
    expect(fields.map(([name]) => name)).toEqual(['name', 'description', 'license', 'compatibility', 'allowed-tools']);
    const { name, description, compatibility, ...others } = Object.fromEntries(fields) as Record<string, string>;
    expect(name).toBe(path.basename(path.dirname(FILE)));
    expect(description).toContain('Use it when');
    expect(description?.length).toBeLessThanOrEqual(1024);
    expect(compatibility?.length).toBeLessThanOrEqual(500);
    expect(others).toEqual({ license: 'MIT', 'allowed-tools': 'Bash(mailroom:*)' });
    // What would end a plain value in YAML, or begin another kind of one.
    const values = fields.map(([, value = '']) => value);
    expect(values.filter((value) => /: | #|^[[\]{}&*!|>'"%@`-]/.test(value))).toEqual([]);
    expect(body.split('\n').length).toBeLessThan(500);
    console.log(`${body.split('\n').length} lines, a description of ${description?.length} characters`);
  });

  it('shows only commands that can be given', () => {
    const blocks = [...body.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, lines = '']) => lines);
    const shown = blocks.flatMap((lines) =>
      lines.split('\n').flatMap((line) => /^(?:eval "\$\()?mailroom ([^#)]+)/.exec(line)?.[1]?.trim() ?? []),
    );
    for (const line of shown) {
      const words = [...line.replace(/ <<'EOF'$/, '').matchAll(/'([^']*)'|(\S+)/g)].map(([, a, b]) => a ?? b ?? '');
      const { name, rest } = splitLine(words);
      const command = commands.find((one) => one.name === name);
      const parse = (): unknown => parseArguments(command ?? fail(line), rest);
      expect(parse, line).not.toThrow();
    }
    console.log(`${shown.length} command lines parsed`);
    expect(shown.length).toBeGreaterThan(12);
  });

  it('says what mail is, how to wait in the background, and names every command', () => {
    expect(body).toContain(WHAT_MAIL_IS);
    expect(body).toMatch(/background shell:\n\n```sh\nmailroom inbox --wait 10m --headers\n```\n\n.*exit code 4/s);
    const names = GROUPS.flatMap(([, all]) => all);
    expect(names.length).toBe(commands.length);
    expect(names.filter((name) => !new RegExp(`\`(?:mailroom )?${name}\\b`).test(body))).toEqual([]);
  });

  it('is in the package', () => {
    const packing = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(packing.status, packing.stderr).toBe(0);
    expect(packing.stdout).toContain(JSON.stringify(FILE));
  });
});
