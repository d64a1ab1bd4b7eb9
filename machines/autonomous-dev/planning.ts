import { cut } from 'agent-mailroom/workflow';
import { z } from 'zod';
import type { Plan } from '../work-distributor/plan.ts';

const FEATURE_CHARS_IN_TASK = 6_000;

/** The JSON schema of a planner's reply, for programs that validate it. */
export const PLAN_SCHEMA = z.toJSONSchema(
  z.object({
    tasks: z
      .array(
        z.object({
          id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
          title: z.string(),
          description: z.string(),
          files: z.array(z.string()).optional(),
          dependsOn: z.array(z.string()).optional(),
          skills: z.array(z.string()).optional(),
        }),
      )
      .min(1),
  }),
);

export interface ResearchFindings {
  readonly by: string;
  readonly text: string;
  readonly messageId: string;
}

export function researchQuestion(
  feature: string,
  { directory, about }: { readonly directory: string; readonly about: readonly string[] },
): string {
  return [
    'Before anything is built: please research the repository and report what matters for this feature.',
    'Which modules does it touch, what do their tests cover, what could go wrong? Name files.',
    '',
    `The checkout is ${directory} (please change nothing there).`,
    ...about,
    '',
    'The feature:',
    '',
    feature,
  ].join('\n');
}

export function planQuestion(
  feature: string,
  {
    directory,
    about,
    findings,
    fault,
  }: { directory: string; about: readonly string[]; findings: ResearchFindings | null; fault: string | null },
): string {
  return [
    ...(fault === null ? [] : [`Your last plan cannot be used: ${fault}`, '']),
    'Please plan this feature as tasks for several agents who work at the same time, each in a checkout of its own.',
    'Reply with JSON: {"tasks":[{"id":"csv-quoting","title":"…","description":"…","files":["…"],"dependsOn":["…"]}]}',
    '',
    `The checkout is ${directory} (please change nothing there).`,
    ...about,
    ...(findings === null ? [] : ['', `What ${findings.by} found:`, '', findings.text]),
    '',
    'The feature:',
    '',
    feature,
  ].join('\n');
}

/** The built-in plan, for when there is no other: its tasks are sequential, so that one agent is enough. */
export function templatePlan(feature: string): Plan {
  const wanted = cut(feature, { charsMax: FEATURE_CHARS_IN_TASK });
  const task = (id: string, title: string, description: string, dependsOn: string[]): Plan['tasks'][number] => ({
    id,
    title,
    description: `${description}\n\nThe feature:\n\n${wanted}`,
    files: [],
    dependsOn,
    skills: [],
  });
  return {
    tasks: [
      task('implementation', 'Build the feature', 'Build the whole feature, with tests of its own.', []),
      task(
        'documentation',
        'Describe the feature',
        'Describe the feature where the repository describes such things: README, changelog, help texts.',
        ['implementation'],
      ),
    ],
  };
}

const CHARS_MAX = 8_000;

/** The beginning of a text, so that long answers do not fill the journal. */
export function excerpt(text: string): string {
  return cut(text, { charsMax: CHARS_MAX });
}
