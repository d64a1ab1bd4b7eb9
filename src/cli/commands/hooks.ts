import { HOOK_PROGRAMS } from '../../hooks/programs.ts';
import type { CliCommand } from '../command.ts';

export const hooks: CliCommand = {
  name: 'hooks',
  summary: 'make the sessions of a program join by themselves',
  operands: [
    { name: 'action', optional: true, choices: ['add', 'remove', 'status'] },
    { name: 'program', optional: true, many: true, choices: HOOK_PROGRAMS },
  ],
  options: [
    { name: 'all', summary: 'add: every program found here; remove: every program' },
    { name: 'user', summary: 'for all projects of this user' },
    { name: 'project', summary: 'for this project only (default inside one)' },
    { name: 'sandbox-access', summary: 'add: let its sandbox write to a room outside the project' },
    { name: 'dry-run', summary: 'show what would be written; write nothing' },
  ],
  details: `The programs are ${HOOK_PROGRAMS.join(', ')}. A program that has hooks joins when a session
starts, and shows new mail in the running turn. With --as all its sessions have that address. Settings are edited in
place: what others wrote stays, a backup is kept beside the file, and remove restores what was there. Where mailroom is not
installed the hooks do nothing. Cursor and Copilot are untried. Without arguments the command is mailroom hooks status.

  mailroom hooks add claude codex
  mailroom hooks add gemini --user --dry-run
  mailroom hooks remove --all
  mailroom hooks`,
  // Loaded here, because no other command edits settings.
  run: async (call) => (await import('../hooks/run-hooks.ts')).runHooks(call),
};
