import { listCards } from '../../room/context.ts';
import { lookAtPane } from '../../room/tmux-pane.ts';
import type { Check, Finding } from './finding.ts';

/** Whether the panes on the cards can be reached, so that their agents can be nudged. */
export const checkTmux: Check = async ({ context }) => {
  const findings: Finding[] = [];
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
  const nobody: Finding = { check: 'tmux', level: 'ok', text: 'nobody joined from a tmux pane, so nobody is nudged' };
  return findings.length === 0 ? [nobody] : findings;
};
