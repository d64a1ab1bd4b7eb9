import { isMailroomError } from '../../errors.ts';
import { errnoOf } from '../../host/file-system.ts';
import { visible } from '../../message/visible.ts';
import type { Room } from '../../room/room.ts';
import { checkFileSystem } from '../doctor/check-file-system.ts';
import { checkFiles } from '../doctor/check-files.ts';
import { checkLetters } from '../doctor/check-letters.ts';
import { checkMailboxes } from '../doctor/check-mailboxes.ts';
import { checkMounts, checkProcesses, checkTmux, checkWatching } from '../doctor/check-host.ts';
import { checkPermissions, checkSecurity } from '../doctor/check-permissions.ts';
import type { Check, DoctorFinding } from '../doctor/finding.ts';
import type { CliCommand } from '../command.ts';
import { EXIT_FAILURE, EXIT_OK } from '../exit-code.ts';
import { withRoom } from '../with-room.ts';

/** In this order, because later checks look into what earlier ones repair. */
const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['room', checkSecurity],
  ['files', checkFiles],
  ['mounts', checkMounts],
  ['permissions', checkPermissions],
  ['file system', checkFileSystem],
  ['watching', checkWatching],
  ['processes', checkProcesses],
  ['tmux', checkTmux],
  ['mailboxes', checkMailboxes],
  ['letters', checkLetters],
];

export const doctor: CliCommand = {
  name: 'doctor',
  summary: 'check the room for problems',
  operands: [],
  options: [{ name: 'fix', summary: 'repair what can be repaired without losing anything' }],
  details: `It says which security level is in force, checks every file that the room keeps, and exits 1 if something is wrong. A
note is worth knowing; mail arrives all the same. --fix reports what it did: it recreates what holds no data, revokes
other users' access, sweeps abandoned files, and renames what lies in the wrong place to damaged.<hex>.<name>.
It deletes no mail, key or journal, is safe to repeat, and disturbs no running process.

  mailroom doctor --fix`,
  run: (call) =>
    withRoom(call, async (room) => {
      const fix = call.args.options.has('fix');
      const findings: DoctorFinding[] = [];
      for (const one of CHECKS) findings.push(...(await examine(room, one, { fix })));
      const told = findings.map((one) => (one.hint === undefined ? one : { ...one, hint: call.pasteable(one.hint) }));
      if (call.isJson) await call.output.json(told);
      else await call.output.data(told.map(asText).join(''));
      return findings.some(({ level }) => level === 'wrong') ? EXIT_FAILURE : EXIT_OK;
    }),
};

/** A check that ends with a system error is itself a finding; the other checks still run. */
async function examine(
  room: Room,
  [name, check]: (typeof CHECKS)[number],
  options: { readonly fix: boolean },
): Promise<DoctorFinding[]> {
  try {
    return await check(room, options);
  } catch (error) {
    if (!isMailroomError(error) && errnoOf(error) === undefined) throw error;
    const text = `this could not be checked: ${error instanceof Error ? error.message : String(error)}`;
    const hint = isMailroomError(error) ? error.hint : 'Fix that, then check again: mailroom doctor';
    return [{ check: name, level: 'wrong', text, ...(hint === undefined ? {} : { hint }) }];
  }
}

function asText({ check, level, text, hint }: DoctorFinding): string {
  const advice = hint === undefined || level === 'ok' ? '' : `       ${visible(hint)}\n`;
  return `${level.padEnd(5)}  ${visible(`${check}: ${text}`)}\n${advice}`;
}
