import fs from 'node:fs';
import path from 'node:path';
import { MIND, type TeamRun } from './team-run.ts';

export const TEAM = `alice=${MIND},bob=${MIND}`;

/** The arguments for a plan of one task. */
export function planOfOne(run: TeamRun): string[] {
  const plan = path.join(run.outer, 'plan.json');
  fs.writeFileSync(plan, JSON.stringify({ tasks: [{ id: 'sum', title: 'Sum of numbers', description: 'Add it.' }] }));
  return ['--plan', plan];
}

/** The arguments for a plan of one task and a pull request. */
export function wordsFor(run: TeamRun): string[] {
  return [...planOfOne(run), '--pull-request'];
}
