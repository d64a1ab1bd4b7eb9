import { errnoOf } from '../../host/file-system.ts';
import { createFile, removeQuietly, stagedPath } from '../../host/files.ts';
import { quote } from '../../host/shell-word.ts';
import { actorLayout } from '../../message/layout.ts';
import { listAddresses, listCards } from '../../room/context.ts';
import { lookAtPane } from '../../room/nudge.ts';
import { contextOf } from '../../room/room.ts';
import type { Check, DoctorFinding } from './finding.ts';

const HINT_WAIT_MS_MAX = 2_000;

/** Whether a waiting reader is woken by a new file, or has to poll every second. */
export const checkWatching: Check = async (room) => {
  const context = contextOf(room);
  const { config } = room;
  const { host, layout } = context;
  const hinted = new AbortController();
  let failure = `no event came within ${HINT_WAIT_MS_MAX / 1000} s`;
  const close = host.watching.directory(
    layout.tmp,
    () => hinted.abort(),
    (reason) => {
      failure = reason;
      hinted.abort('failed');
    },
  );
  const path = stagedPath(layout.tmp, host.randomBytes);
  try {
    createFile(host.files, path, Buffer.from('doctor'), 0o600);
    await host.clock.sleep(HINT_WAIT_MS_MAX, hinted.signal);
  } catch (error) {
    const why = errnoOf(error) ?? String(error);
    return [
      { check: 'watching', level: 'note', text: `not tested: no file could be written to ${layout.tmp} (${why})` },
    ];
  } finally {
    removeQuietly(host.files, path);
    close();
  }
  const works = hinted.signal.aborted && hinted.signal.reason !== 'failed';
  return [
    works
      ? { check: 'watching', level: 'ok', text: 'new mail wakes its reader at once' }
      : {
          check: 'watching',
          level: 'note',
          text: `directories cannot be watched here (${failure}); readers poll every ${config.limits.pollMs} ms instead`,
          hint: 'On Linux, see fs.inotify.max_user_watches and max_user_instances (sysctl).',
        },
  ];
};

/** Messages, cards and keys get to their places by links and renames, which cannot cross from one file system to another. */
export const checkMounts: Check = (room) => {
  const context = contextOf(room);
  const { host, layout } = context;
  const deviceOf = (path: string): number | undefined => host.files.lstat(path)?.dev;
  const apart: { path: string; from: string }[] = [];
  const compare = (from: string, paths: readonly string[]): void => {
    const device = deviceOf(from);
    for (const path of paths) {
      const own = deviceOf(path);
      if (device !== undefined && own !== undefined && own !== device) apart.push({ path, from });
    }
  };
  compare(layout.tmp, [layout.directory, layout.keys, layout.publicKeys, layout.actors]);
  for (const address of listAddresses(context)) {
    const { directory, mailbox } = actorLayout(layout, address);
    compare(layout.tmp, [directory]);
    compare(mailbox.new, [mailbox.tmp, mailbox.cur, mailbox.done, mailbox.dead, mailbox.refused]);
  }
  if (apart.length === 0) return [{ check: 'mounts', level: 'ok', text: 'the room is on one file system' }];
  return apart.map(({ path, from }): DoctorFinding => ({
    check: 'mounts',
    level: 'wrong',
    text: `${path} is on another file system than ${from}, and nothing can be linked or renamed from one to the other`,
    hint: `Move its content to the file system of the room, then unmount it: umount ${quote(path)}`,
  }));
};

/** Whether the system tells who runs: what cannot be known here decides who counts as there. */
export const checkProcesses: Check = (room) => {
  const context = contextOf(room);
  const why = context.host.processes.whyBlind();
  if (why === undefined) {
    return [{ check: 'processes', level: 'ok', text: 'start times, sessions and process trees are known' }];
  }
  return [
    {
      check: 'processes',
      level: 'note',
      text: `start times, sessions and process trees are unknown (${why}): an agent that runs one shell per command counts as gone when that shell ends, a reused pid keeps an address in use, and a process that leaves its process group outlives its job`,
      hint: 'Let agents join where these are known: outside the sandbox, or by hooks (mailroom hooks add). See docs/platforms.md.',
    },
  ];
};

/** Whether the panes on the cards can be reached, so that their agents can be nudged. */
export const checkTmux: Check = async (room) => {
  const context = contextOf(room);
  const findings: DoctorFinding[] = [];
  for (const { address, leftAt, tmux } of listCards(context)) {
    if (leftAt !== undefined || !tmux) continue;
    const look = await lookAtPane(context.host, tmux);
    findings.push(
      'why' in look
        ? {
            check: 'tmux',
            level: 'note',
            text: `${address} cannot be nudged: ${look.why}`,
            hint: `Join again from its new pane: mailroom join ${address}`,
          }
        : { check: 'tmux', level: 'ok', text: `${address} can be nudged in pane ${tmux.pane}` },
    );
  }
  const nobody: DoctorFinding = {
    check: 'tmux',
    level: 'ok',
    text: 'nobody joined from a tmux pane, so nobody is nudged',
  };
  return findings.length === 0 ? [nobody] : findings;
};
