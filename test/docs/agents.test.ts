import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { PRESET_NAMES, presetOf } from '../../src/agents/presets.ts';
import { parseArguments } from '../../src/cli/arguments.ts';
import { agent } from '../../src/cli/commands/agent.ts';
import { readBlocks } from './document-blocks.ts';

const text = fs.readFileSync(path.join(import.meta.dirname, '../../docs/agents.md'), 'utf8');
const rows = text.split('\n').filter((line) => line.startsWith('|'));
const cells = (row: string): string[] => row.split('|').map((cell) => cell.trim());

describe('the document about agents', () => {
  it('names valid commands', () => {
    const shown = readBlocks('agents.md').filter(({ language }) => language === 'sh');
    const lines = shown.flatMap((block) => block.text.split('\n')).filter((line) => line.startsWith('mailroom agent '));
    // Words of the examples stand in quotes of one kind, and without further ones in them.
    for (const line of lines) {
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
      expect(() => parseArguments(agent, words.slice(2)), line).not.toThrow();
    }
    console.log(`${lines.length} command lines parsed`);
    expect(lines.length).toBeGreaterThan(4);
  });

  it('names every option, or the help does', () => {
    const inHelp = ['preset', 'stdin', 'types', 'skills', 'limit', 'no-broadcasts', 'take-over', 'exec', 'host'];
    const documented = rows.flatMap((row) => /^`--([a-z-]+)`$/.exec(cells(row)[1] ?? '')?.[1] ?? []);
    const options = agent.options.map(({ name }) => name).filter((name) => !inHelp.includes(name));
    expect(documented.sort()).toEqual(options.sort());
  });

  it.each(PRESET_NAMES)('has a source for every flag of the preset %s', (name) => {
    const facts = rows.filter((row) => cells(row)[1] === `\`${name}\``);
    expect(facts.length).toBeGreaterThan(0);
    for (const fact of facts) expect(cells(fact)[3]).toMatch(/\]\(https:\/\//);
    const { begin, resume = [] } = presetOf(name) as { begin: readonly string[]; resume?: readonly string[] };
    const flags = [...begin, ...resume].filter((word) => word.startsWith('-') && word !== '-');
    const missing = flags.filter((flag) => !facts.some((fact) => (cells(fact)[2] ?? '').includes(flag)));
    expect(missing).toEqual([]);
  });
});
