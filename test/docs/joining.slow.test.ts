import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROGRAM_FACTS } from '../../src/hooks/install/program-facts.ts';
import { parseArguments } from '../../src/cli/arguments.ts';
import { createCommands } from '../../src/cli/command-table.ts';
import { HOOK_PROGRAMS } from '../../src/hooks/programs.ts';
import { commandsIn, readBlocks, shapeOf } from './document-blocks.ts';
import { createStage, type Stage } from './joining-stage.ts';

// No agent program runs here. The commands of the page are run as they stand there. What a program would do is done in its place: the
// hooks are called by the very lines that `hooks add` has written into its settings, with what the program writes to them on
// stdin, and the commands of its model are run with the variables that its shell has. That the programs themselves do so is seen
// by `npm run test:agents`.

const blocks = readBlocks('joining.md');
const THREAD = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
const ID = /\b[0-9a-f]{8}\b/g;

let stage: Stage;
beforeAll(() => {
  stage = createStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

/** The ids of a run, by those that the page prints in their place. */
const ids = new Map<string, string>();

function compare(printed: string, shown: string, where: string): void {
  expect(linesOf(printed), where).toEqual(linesOf(shown));
  const [real, printedOnPage] = [shortIdsIn(printed), shortIdsIn(shown)];
  for (const [index, id] of printedOnPage.entries()) {
    expect(ids.get(id) ?? real[index], `${id} in ${where}`).toBe(real[index]);
    ids.set(id, real[index] ?? '');
  }
}

function shortIdsIn(text: string): string[] {
  return text.replaceAll(THREAD, '').match(ID) ?? [];
}

/** What goes to stdout and what to stderr come in either order. */
function linesOf(output: string): string[] {
  return shapeOf(output.replaceAll(THREAD, '<thread>').replaceAll(/\b[0-9a-f]{32}\b/g, '<fence>'))
    .split('\n')
    .sort();
}

test('three sessions join, ask, see, answer and are woken as the page says, and print what it shows', async () => {
  const commands: string[] = [];
  const texts: string[] = [];
  for (const block of blocks) {
    const [where = '', event = ''] = block.label.split(' ');
    if (block.language === 'text') {
      compare(await stage.shown(where, event), block.text, block.label);
      texts.push(block.label);
    }
    if (block.language === 'sh' && block.text.includes('codex')) await stage.openCodex();
    if (block.language !== 'console') continue;
    if (event === 'later') for (const program of ['claude', 'codex', 'gemini']) await stage.endTurn(program);
    for (const { command = '', output } of commandsIn(block)) {
      const given = command.replaceAll(ID, (id) => ids.get(id) ?? id);
      compare(await stage.run(where, given), output, command);
      commands.push(command);
    }
    if (where === 'claude') await stage.endTurn(where);
  }
  console.log(`${commands.length} commands run, ${texts.length} texts of hooks compared: ${texts.join(', ')}`);
  expect(commands.length).toBeGreaterThan(11);
  expect(new Set(texts.map((label) => label.split(' ')[0]))).toEqual(new Set(['claude', 'codex', 'gemini']));
});

test('what the page says to open are the programs, by the commands that start them', () => {
  const opened = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'));
  const known = HOOK_PROGRAMS.map((program) => PROGRAM_FACTS[program].command);
  expect(opened.map((line) => line.replace(/^MAILROOM_AS=alice /, ''))).toEqual([
    'claude',
    'codex',
    'gemini',
    'claude',
  ]);
  expect(opened.filter((line) => !known.includes(line.split(' ').at(-1) ?? ''))).toEqual([]);
});

test('the commands that its sentences name can be given', () => {
  const text = fs.readFileSync(path.join(import.meta.dirname, '../../docs/joining.md'), 'utf8');
  const prose = text.replaceAll(/^```.*?^```$/gms, '');
  const named = [...prose.matchAll(/`mailroom ([a-z]+)([^`]*)`/g)].filter(([, name]) => name !== 'hook');
  const commands = createCommands(() => Promise.reject(new Error('no test runs a machine by this')));
  for (const [line, name, rest = ''] of named) {
    const command = commands.find((one) => one.name === name);
    expect(command, line).toBeDefined();
    // The names of commands in a sentence come without their operands.
    const parse = (): unknown => (command && rest !== '' ? parseArguments(command, rest.trim().split(' ')) : undefined);
    expect(parse, line).not.toThrow();
  }
  console.log(named.map(([line]) => line).join(' '));
  expect(named.length).toBeGreaterThan(4);
});
