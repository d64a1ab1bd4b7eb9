import type { Machine } from './machine.ts';
import type { Goal, Outcome } from './row.ts';

/** The machine, a line each. */
export function formatMachine(machine: Machine): string {
  return Object.entries(machine)
    .map(([name, value]) => `${name.padEnd(11)} ${value}`)
    .join('\n');
}

/** The rows as a Markdown table. */
export function formatTable(outcomes: readonly Outcome[]): string {
  const cells = [
    ['work', 'µs', 'floor in the same run', 'µs', 'result', 'middle half', 'goal', ''],
    ...outcomes.map(cellsOf),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const lines = cells.map((row) => `| ${row.map((cell, column) => pad(cell, widths[column] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  return lines.join('\n');
}

function cellsOf(outcome: Outcome): string[] {
  if ('skipped' in outcome) return [outcome.work, '', outcome.skipped, '', 'not measured', '', '', ''];
  if ('calls' in outcome) return [outcome.work, '', formatCalls(outcome.calls), '', '', '', '', ''];
  const { work, workUs, floor, floorUs, value, spread, goal, met, note } = outcome;
  return [
    note === undefined ? work : `${work} (${note})`,
    figure(workUs),
    floor,
    floorUs === undefined ? '' : figure(floorUs),
    `${figure(value)} ${goal?.unit ?? '×'}`,
    spread === undefined ? '' : spread.map(figure).join(' – '),
    goal === undefined ? 'none' : formatGoal(goal),
    met === undefined ? '' : met ? 'met' : 'missed',
  ];
}

function formatCalls(calls: Readonly<Record<string, number>>): string {
  const each = Object.entries(calls);
  const total = each.reduce((sum, [, count]) => sum + count, 0);
  return `${figure(total)}: ${each.map(([name, count]) => `${name} ${count}`).join(', ')}`;
}

function formatGoal(goal: Goal): string {
  return 'most' in goal ? `≤ ${goal.most} ${goal.unit}` : `≥ ${goal.least} ${goal.unit}`;
}

/** Three digits. */
function figure(value: number): string {
  if (value === 0) return '0';
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - text.length));
}
