import { errnoOf } from '../../host/file-system.ts';
import { createFile, removeQuietly, stagedPath } from '../../host/files.ts';
import { howToBeLocal, networkFileSystemOf } from '../../room/network-file-system.ts';
import { contextOf, type Room } from '../../room/room.ts';
import type { Check, DoctorFinding } from './finding.ts';

const CLOCK_SKEW_MS_MAX = 2_000;

/** Tests what deliveries need: a hard link, and file times that agree with the clock. */
export const checkFileSystem: Check = (room) => {
  const type = networkFileSystemOf(contextOf(room).host, room.directory);
  const findings = tryLink(room);
  findings.push(
    type === undefined
      ? { check: 'file system', level: 'ok', text: 'it is a local one' }
      : {
          check: 'file system',
          level: 'wrong',
          text: `the room is on ${type}, which does not promise that renames and links from several machines are atomic`,
          hint: howToBeLocal(type),
        },
  );
  return findings;
};

function tryLink(room: Room): DoctorFinding[] {
  const context = contextOf(room);
  const { host, layout } = context;
  const { files, clock, randomBytes } = host;
  const path = stagedPath(layout.tmp, randomBytes);
  const linked = `${path}.link`;
  try {
    const before = clock.now();
    createFile(files, path, Buffer.from('doctor'), 0o600);
    const fileMs = files.lstat(path)?.mtimeMs ?? before;
    files.link(path, linked);
    return [{ check: 'hard links', level: 'ok', text: 'they work here' }, clockFinding(fileMs - before)];
  } catch (error) {
    const what = `no file could be written and linked in ${layout.tmp} (${errnoOf(error) ?? String(error)})`;
    return [
      {
        check: 'hard links',
        level: 'wrong',
        text: what,
        hint: 'Check the disk (df), the permissions and the mount.',
      },
    ];
  } finally {
    removeQuietly(files, path);
    removeQuietly(files, linked);
  }
}

function clockFinding(skewMs: number): DoctorFinding {
  const check = 'clock of the file system';
  if (Math.abs(skewMs) <= CLOCK_SKEW_MS_MAX) return { check, level: 'ok', text: 'it agrees with this machine' };
  return {
    check,
    level: 'wrong',
    text: `the time of a file written now differs from this machine's clock by ${(skewMs / 1000).toFixed(0)} s`,
    hint: 'Compare the clocks of the machines that share this directory.',
  };
}
