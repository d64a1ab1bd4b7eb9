import { errnoOf } from '../../host/file-system.ts';
import { createFile, removeQuietly, stagedPath } from '../../host/files.ts';
import type { Check } from './finding.ts';

const HINT_WAIT_MS_MAX = 2_000;

/** Whether a waiting reader is told of a new file, or has to look for itself every second. */
export const checkWatching: Check = async ({ context, config }) => {
  const { host, layout } = context;
  const hinted = new AbortController();
  let failure = `no hint came within ${HINT_WAIT_MS_MAX / 1000} s`;
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
      { check: 'watching', level: 'note', text: `not tried: no file could be written to ${layout.tmp} (${why})` },
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
          text: `directories cannot be watched here (${failure}); readers look every ${config.limits.pollMs} ms instead`,
          hint: 'On Linux, see fs.inotify.max_user_watches and max_user_instances (sysctl).',
        },
  ];
};
