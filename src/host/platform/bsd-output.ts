/** A line of `ps -o pid=,ppid=,pgid=,stat=,lstart=`, with or without `command=` at the end. */
export interface PsRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** As `ps -o lstart` prints it, with single spaces: `Mon Jan 5 09:03:07 2026`. */
  readonly startTime: string;
  /** A zombie has ended; it only waits for its parent to look. */
  readonly isEnded: boolean;
  readonly leadsSession: boolean;
  /** The arguments and, if asked for and visible, the environment, separated by spaces; empty if not asked for. */
  readonly command: string;
}

/** The state can be missing: ps prints a blank when the kernel reports no threads for a task. */
const PS_LINE =
  /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(?:(\S+)\s+)?([A-Z][a-z]{2} +[A-Z][a-z]{2} +\d{1,2} [\d:]{8} \d{4})(?:\s+(.*))?$/;

/**
 * Parses the output of ps of macOS in the C locale. It encodes each control character of a command line, including line
 * feeds (strvis(3) with VIS_NL), so one line is one process. Other lines are skipped.
 */
export function parsePs(text: string): Map<number, PsRow> {
  const rows = new Map<number, PsRow>();
  for (const line of text.split('\n')) {
    const [, pid, parent, group, state = '', started = '', command = ''] = PS_LINE.exec(line) ?? [];
    if (pid === undefined) continue;
    rows.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      startTime: started.replaceAll(/ +/g, ' '),
      isEnded: state.startsWith('Z'),
      leadsSession: state.includes('s'),
      command,
    });
  }
  return rows;
}

/** Whether this is one of the words of a command line, or of the environment behind it. */
export function hasWord({ command }: PsRow, word: string): boolean {
  return ` ${command} `.includes(` ${word} `);
}

/** The pids in the output of `lsof -F pc` whose command has exactly this name. */
export function pidsNamed(text: string, name: string): number[] {
  const pids: number[] = [];
  let pid = 0;
  for (const field of text.split('\n')) {
    if (field.startsWith('p')) pid = Number(field.slice(1));
    if (field === `c${name}` && pid > 0) pids.push(pid);
  }
  return pids;
}
