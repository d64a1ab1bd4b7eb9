import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readBlocks } from './document-blocks.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const MODULES = path.join(ROOT, 'node_modules');
/** What a reader who tries an example has installed. */
const INSTALLED = ['xstate', 'zod', '@types/node'];
const PAGES = ['index', 'workflow', 'runtime', 'testing', 'agents'];
/** Whose docstring a reader copies from. */
const WITH_EXAMPLE = {
  index: [
    'initRoom',
    'openRoom',
    'Agent',
    'send',
    'reply',
    'inbox',
    'Room',
    'join',
    'MailroomError',
    'MessagingSystem',
  ],
  workflow: ['accepts', 'action', 'activity', 'ask', 'command', 'isChild', 'tell', 'runIfMain'],
  runtime: ['Host', 'listWorkflows', 'runWorkflow', 'step', 'toMermaid', 'WorkflowHost'],
  testing: ['crashMatrix', 'explore'],
  agents: ['runAgent'],
};

const COMPILER_OPTIONS = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  skipLibCheck: true,
  noEmit: true,
};

test('every example of the API reference is strict TypeScript', () => {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-api-')));
  try {
    fs.mkdirSync(path.join(directory, 'node_modules', '@types'), { recursive: true });
    fs.symlinkSync(ROOT, path.join(directory, 'node_modules', 'agent-mailroom'));
    for (const name of INSTALLED) fs.symlinkSync(path.join(MODULES, name), path.join(directory, 'node_modules', name));
    fs.writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
    fs.writeFileSync(
      path.join(directory, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['*.ts'] }),
    );
    const examples = PAGES.flatMap((page) =>
      readBlocks(`api/${page}.md`)
        .filter(({ text }) => text.startsWith('import '))
        .map(({ text }, index) => ({ name: `${page}-${index + 1}.ts`, text })),
    );
    for (const { name, text } of examples) fs.writeFileSync(path.join(directory, name), text);
    console.log(`${examples.length} examples`);
    expect(examples.length).toBeGreaterThanOrEqual(Object.values(WITH_EXAMPLE).flat().length - 2);
    const tsc = path.join(MODULES, 'typescript', 'bin', 'tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '--pretty', 'false'], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
});

test.each(Object.entries(WITH_EXAMPLE))('the main exports of %s have an example', (page, names) => {
  const text = fs.readFileSync(path.join(ROOT, 'docs', 'api', `${page}.md`), 'utf8');
  expect(names.filter((name) => !/^#+ Example$/m.test(sectionOf(text, name)))).toEqual([]);
});

test.each(PAGES)('no parameter of %s is without a name, because it is destructured', (page) => {
  const text = fs.readFileSync(path.join(ROOT, 'docs', 'api', `${page}.md`), 'utf8');
  expect(text).not.toContain('__namedParameters');
});

/** What stands below the heading of an export or a method. */
function sectionOf(text: string, name: string): string {
  const heading = new RegExp(`^(#+) ${name}(?:\\(\\))?\n`, 'm').exec(text);
  if (!heading) return '';
  const [line, level = ''] = heading;
  const rest = text.slice(heading.index + line.length);
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, 'm'));
  return end === -1 ? rest : rest.slice(0, end);
}
