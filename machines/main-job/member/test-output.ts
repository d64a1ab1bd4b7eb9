import { cut } from 'agent-mailroom/workflow';
import type { Ran } from '../../shared/run-shell.ts';

const LINES_MAX = 6;
const LINE_CHARS_MAX = 200;
const TELLING = /\bfail|error|not ok\b|✖|✗|✘|assert|expected|panick?ed|traceback|exception/i;
const SUMMARY = /(?:^|\s)0 (?:fail|error)|^\S*\s*(?:fail|failed|failures|errors):? 0\b|^# fail 0$/i;

export function howItEnded({ command, exitCode }: Ran): string {
  return `${command}: ${exitCode === null ? 'took too long' : `exit code ${exitCode}`}`;
}

/** The lines that tell what is wrong; the last ones where none looks like it. */
export function failingLines({ output }: Ran): string[] {
  const lines = output
    .split('\n')
    .map((line) => cut(line.trim(), { charsMax: LINE_CHARS_MAX }))
    .filter((line) => line !== '');
  const telling = [...new Set(lines.filter((line) => TELLING.test(line) && !SUMMARY.test(line)))];
  return telling.length > 0 ? telling.slice(0, LINES_MAX) : lines.slice(-LINES_MAX);
}
