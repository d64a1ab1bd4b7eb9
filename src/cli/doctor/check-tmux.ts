import { listCards } from '../../room/context.ts';
import type { Check, Finding } from './finding.ts';

const TMUX_TIMEOUT_MS = 2_000;

/** Whether the terminals on the cards can be reached, so that their agents can be nudged. */
export const checkTmux: Check = async ({ context }) => {
  const panes = listCards(context).filter(({ leftAt, tmux }) => leftAt === undefined && tmux !== undefined);
  if (panes.length === 0) {
    return [{ check: 'tmux', level: 'ok', text: 'nobody joined from a tmux pane, so nobody is nudged' }];
  }
  const findings: Finding[] = [];
  for (const { address, tmux } of panes) {
    if (!tmux) continue;
    const { processes } = context.host;
    const args = ['-S', tmux.socket, 'display-message', '-p', '-t', tmux.pane, '#{pane_pid}'];
    const shown = await processes.run('tmux', args, { timeoutMs: TMUX_TIMEOUT_MS });
    const isThere = shown.exitCode === 0 && shown.stdout.trim() === String(tmux.process.pid);
    findings.push(
      isThere && processes.isAlive(tmux.process)
        ? { check: 'tmux', level: 'ok', text: `${address} can be nudged in pane ${tmux.pane}` }
        : {
            check: 'tmux',
            level: 'note',
            text: `${address} cannot be nudged: pane ${tmux.pane} of ${tmux.socket} is gone or another one now`,
            hint: `Join again from its new pane: mailroom join ${address}`,
          },
    );
  }
  return findings;
};
