import { basename, resolve } from 'node:path';
import { readText } from '../../host/files.ts';
import { hookFile, HOOK_SCOPES } from '../../hooks/install/hook-files.ts';
import { PROGRAM_FACTS } from '../../hooks/install/program-facts.ts';
import { ROOM_DIRECTORY } from '../../message/layout.ts';
import { visible } from '../../message/visible.ts';
import { initRoom } from '../../room/init-room.ts';
import { textOption } from '../arguments.ts';
import type { Call, CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { programsHere } from '../hooks/find-place.ts';
import { planNotes, writeNotes, type NoteFile } from '../instruction-files.ts';

export const init: CliCommand = {
  name: 'init',
  summary: 'create a room in this directory',
  operands: [],
  options: [
    {
      name: 'algorithm',
      value: 'name',
      choices: ['hmac-sha256', 'ed25519'],
      summary: 'hmac-sha256 (default): one secret for all; ed25519: a key pair per agent',
    },
    {
      name: 'agents-md',
      summary: 'tell the agents of the project about it in AGENTS.md, which CLAUDE.md and GEMINI.md import',
    },
  ],
  details: `The room is the directory .mailroom, which git ignores. Commands find it from any directory below and from every git
worktree of the same repository. A second init completes the room and changes nothing else.

--agents-md writes a few lines between two markers into AGENTS.md beside the room. Given again, it replaces the text
between the markers and keeps every other byte. CLAUDE.md and GEMINI.md get a marked line that imports AGENTS.md, if they
exist and do not import it yet. With --json each of these files has its "path" and "change" in "notes".

  mailroom init
  mailroom init --agents-md
  mailroom init --algorithm ed25519 --room /srv/team/.mailroom`,
  run: async (call) => {
    const { args, env, cwd, host, output, isJson } = call;
    const directory = textOption(args, 'room') ?? (env['MAILROOM_DIR'] || undefined);
    const algorithm = textOption(args, 'algorithm') as 'hmac-sha256' | 'ed25519' | undefined;
    const place = resolve(cwd, directory ?? ROOM_DIRECTORY);
    // Planned first, so that a file that cannot be edited is reported before anything is created.
    const notes = args.options.has('agents-md') ? planNotes(host, place) : [];
    const made = await initRoom({ directory, algorithm, cwd, host });
    await writeNotes(host, place, notes);
    const told = notes.map(({ path, change }): NoteFile => ({ path, change }));
    if (isJson) await output.report({ json: args.options.has('agents-md') ? { ...made, notes: told } : made });
    else await output.report({ text: `${visible(made.directory)}\n` });
    await output.advise(
      made.created
        ? 'The room is ready. Each agent joins it in its own shell: eval "$(mailroom join <address>)"\n'
        : 'The room existed already; nothing in it was changed.\n',
    );
    await output.advise(joiningAdvice(call));
    await output.talk(told.map(({ path, change }) => `${basename(path)}: ${CHANGE_TEXTS[change]}\n`).join(''));
    return EXIT_OK;
  },
};

/** Names the command that makes the programs found here join by themselves; empty if all of them have hooks. */
function joiningAdvice({ host, cwd, env }: Call): string {
  const places = { project: cwd, home: env['HOME'] ?? cwd, env };
  const programs = programsHere(host, { project: cwd, cwd, env }).filter((program) =>
    HOOK_SCOPES.every(
      (scope) => readText(host.files, hookFile(program, scope, places))?.includes(` hook ${program} `) !== true,
    ),
  );
  if (programs.length === 0) return '';
  const titles = programs.map((program) => PROGRAM_FACTS[program].title);
  const last = titles.at(-1) ?? '';
  const named = titles.length === 1 ? `${last} is` : `${titles.slice(0, -1).join(', ')} and ${last} are`;
  const them = titles.length === 1 ? 'it' : 'them';
  return `${named} here. To make ${them} join by ${them === 'it' ? 'itself' : 'themselves'}: mailroom hooks add ${programs.join(' ')}\n`;
}
const CHANGE_TEXTS: Readonly<Record<NoteFile['change'], string>> = {
  created: 'written.',
  updated: 'has the block of Mailroom; nothing else was changed.',
  unchanged: 'already up to date.',
  'left alone': 'is a link out of the project, and was left alone.',
};
