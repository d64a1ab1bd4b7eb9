import { visible } from '../../message/visible.ts';
import { checkFileSystem } from '../doctor/check-file-system.ts';
import { checkMailboxes } from '../doctor/check-mailboxes.ts';
import { checkPermissions } from '../doctor/check-permissions.ts';
import { checkSecurity } from '../doctor/check-security.ts';
import { checkTmux } from '../doctor/check-tmux.ts';
import { checkWatching } from '../doctor/check-watching.ts';
import type { Check, Finding } from '../doctor/finding.ts';
import type { Command } from '../command.ts';
import { EXIT_FAILURE, EXIT_OK } from '../exit-code.ts';
import { withRoom } from '../with-room.ts';

const CHECKS: readonly Check[] = [
  checkSecurity,
  checkPermissions,
  checkFileSystem,
  checkWatching,
  checkTmux,
  checkMailboxes,
];

export const doctor: Command = {
  name: 'doctor',
  summary: 'look whether everything is as it should be',
  operands: [],
  options: [{ name: 'fix', summary: 'mend permissions and sweep abandoned files' }],
  details: `It says which security level is in force, and exits 1 when something is wrong. A note is worth knowing; mail arrives all the
same.

  mailroom doctor --fix`,
  run: (call) =>
    withRoom(call, async (room) => {
      const fix = call.args.options.has('fix');
      const findings: Finding[] = [];
      for (const check of CHECKS) findings.push(...(await check(room, { fix })));
      const told = findings.map((one) => (one.hint === undefined ? one : { ...one, hint: call.pasteable(one.hint) }));
      if (call.isJson) await call.output.json(told);
      else await call.output.data(told.map(asText).join(''));
      return findings.some(({ level }) => level === 'wrong') ? EXIT_FAILURE : EXIT_OK;
    }),
};

function asText({ check, level, text, hint }: Finding): string {
  const advice = hint === undefined || level === 'ok' ? '' : `       ${visible(hint)}\n`;
  return `${level.padEnd(5)}  ${visible(`${check}: ${text}`)}\n${advice}`;
}
