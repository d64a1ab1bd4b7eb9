import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { presetOf } from '../../src/agents/presets.ts';
import { PROGRAMS } from './programs.ts';
import type { RealProgram } from './programs/program.ts';
import { openRealRoom, type RealRoom } from './real-room.ts';
import { outcome } from './table.ts';

/** What one of the programs expands, or would in a prompt of its own; to the others it has to be text as well. */
const FORMS = [
  ...new Set([
    ...PROGRAMS.flatMap(({ expands }) => expands.map(({ line }) => line)),
    '@../secret.txt @./note.txt @sub/ @note.txt#L1-2, \\@note.txt "@note.txt" \'@note.txt\' [@note.txt] >@note.txt',
    'after other white space:\u00A0@note.txt\u2003@note.txt',
    '/help',
    '/init',
    '!ls',
    '!{echo injected} !`echo injected`',
    '# remember this',
    'a@example.org, $HOME, ${HOME}, $5, $$, ＠note.txt',
  ]),
];
const MESSAGE = FORMS.join('\n');

describe.each(PROGRAMS.map((program) => [program.preset, program] as const))('%s', (_, program) => {
  it('a message with everything that any program expands', async (context) => {
    await using real = await openRealRoom(program, context);
    await real.startTrusted();
    await real.room.ask('bob', 'a question with nothing special');
    const plain = real.model.requests.length;
    await real.room.ask('bob', MESSAGE);
    const texts = real.model.requests.at(-1)?.texts ?? [];
    expect(expandedIn(program, texts)).toEqual([]);
    expect(texts).toHaveLength(real.model.requests[0]?.texts.length ?? 0);
    expect(real.model.requests).toHaveLength(plain + 1);
    const prompt = texts.find((text) => text.includes('The message to answer:')) ?? '';
    for (const line of FORMS) expect(withoutSigns(prompt)).toContain(withoutSigns(line));

    await expectExpandedWithoutMailroom(program, real);
    outcome(context, 'arrives as text');
  });
});

/** The lines of the message mean something: else its arriving as text would prove nothing. */
async function expectExpandedWithoutMailroom(program: RealProgram, real: RealRoom): Promise<void> {
  for (const { form, line, shows } of program.expands)
    expect(await promptedWith(program, { real, line }), form).toContainEqual(expect.stringContaining(shows));
  if (program.expands.length > 0) return;
  expect(await promptedWith(program, { real, line: MESSAGE })).toHaveLength(1);
}

/** What the model is given when the program is started by the preset's command line, but with this line as its prompt. */
async function promptedWith(program: RealProgram, { real, line }: { real: RealRoom; line: string }): Promise<string[]> {
  const { model, place, env, room } = real;
  const { begin, trust } = presetOf(program.preset);
  const before = model.requests.length;
  const args = begin.flatMap((word) => (word === '{args}' ? (trust?.args ?? []) : [word]));
  await runToEnd(path.join(room.cli.bin, program.preset), args, {
    cwd: place.project,
    env: { ...room.cli.env, ...env },
    stdin: `Some words first.\n${line}\n`,
  });
  return model.requests.slice(before).flatMap(({ texts }) => texts);
}

function expandedIn({ expands }: RealProgram, texts: readonly string[]): string[] {
  return expands.filter(({ shows }) => texts.some((text) => text.includes(shows))).map(({ form }) => form);
}

/** Without what Mailroom may have put before or behind the signs that it makes plain. */
function withoutSigns(text: string): string {
  return text.replaceAll('\\', '');
}

function runToEnd(
  file: string,
  args: readonly string[],
  { stdin, ...options }: { cwd: string; env: Record<string, string>; stdin: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ['pipe', 'ignore', 'ignore'] });
    child.once('error', reject);
    child.once('close', () => resolve());
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
}
