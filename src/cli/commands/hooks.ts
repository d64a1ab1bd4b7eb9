import { HOOK_PROGRAMS } from '../../hooks/programs.ts';
import type { Command } from '../command.ts';

export const hooks: Command = {
  name: 'hooks',
  summary: 'have the sessions of a program join by themselves',
  operands: [
    { name: 'action', optional: true, choices: ['add', 'remove', 'status'] },
    { name: 'program', optional: true, many: true, choices: HOOK_PROGRAMS },
  ],
  options: [
    { name: 'all', summary: 'add: every program that is here; remove: every program' },
    { name: 'user', summary: 'for all projects of this user' },
    { name: 'project', summary: 'for this project only (default, in one)' },
    { name: 'sandbox-access', summary: 'add: let its sandbox write to a room outside of the project' },
    { name: 'dry-run', summary: 'show what would be written, and write nothing' },
  ],
  details: `The programs are ${HOOK_PROGRAMS.join(', ')}. One that has hooks joins when a session starts,
and shows new mail in the turn that runs. With --as all its sessions have that address. Settings are edited in place: what
others wrote stays, a backup lies beside the file, and remove puts back what was there. For somebody without mailroom the
hooks do nothing. Cursor and Copilot are untried. Without words the command is mailroom hooks status.

  mailroom hooks add claude codex
  mailroom hooks add gemini --user --dry-run
  mailroom hooks remove --all
  mailroom hooks`,
  // What edits settings is loaded only for this.
  run: async (call) => (await import('../hooks/run-hooks.ts')).runHooks(call),
};
