import type { Check } from './finding.ts';

/** Whether the system tells who runs: what cannot be known here decides who counts as there. */
export const checkProcesses: Check = ({ context }) => {
  const why = context.host.processes.whyBlind();
  if (why === undefined) {
    return [{ check: 'processes', level: 'ok', text: 'start times, sessions and process trees are known' }];
  }
  return [
    {
      check: 'processes',
      level: 'note',
      text: `start times, sessions and process trees are unknown (${why}): an agent that runs one shell per command counts as gone when that shell ends, a reused pid keeps a name in use, and what leaves its process group outlives its job`,
      hint: 'Have agents join where the system tells: outside of the sandbox, or by hooks (mailroom hooks add). See docs/platforms.md.',
    },
  ];
};
