import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { toMermaid } from '../../src/diagram/mermaid.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const MACHINES = path.join(ROOT, 'machines');

/** The pictures in the document, by heading. */
const pictures = [
  ...fs
    .readFileSync(path.join(ROOT, 'docs', 'machines.md'), 'utf8')
    .matchAll(/^## (\S+)\n(?:(?!^## ).*\n)*?```mermaid\n([^]*?)^```$/gm),
].map(([, name = '', picture = '']) => [name, picture] as const);

/** The machines that ship, by their ids. */
async function readMachines(): Promise<Map<string, AnyStateMachine>> {
  const files = [
    ...fs.readdirSync(MACHINES).filter((file) => file.endsWith('.ts')),
    'autonomous-dev/change.ts',
    'autonomous-dev/test-run.ts',
  ];
  const modules = await Promise.all(
    files.map(async (file) => (await import(path.join(MACHINES, file))) as { machine?: AnyStateMachine }),
  );
  return new Map(modules.flatMap(({ machine }) => (machine ? [[machine.id, machine]] : [])));
}

it('docs/machines.md shows the current machines; write its blocks with mailroom graph', async () => {
  const machines = await readMachines();
  const document = fs.readFileSync(path.join(ROOT, 'docs', 'machines.md'), 'utf8');
  // The parser above has missed no picture.
  expect(pictures).toHaveLength(document.split('```mermaid').length - 1);
  expect(pictures.map(([name]) => name)).toEqual([...machines.keys()].sort());
  for (const [name, picture] of pictures) {
    const machine = machines.get(name);
    if (!machine) throw new Error(`there is no machine ${name} among ${[...machines.keys()].join(', ')}`);
    expect(picture, `mailroom graph says otherwise of ${name}`).toBe(toMermaid(machine));
  }
  console.log(`${pictures.length} pictures compared: ${pictures.map(([name]) => name).join(', ')}`);
});
