import { cut } from 'agent-mailroom/workflow';
import { z } from 'zod';
import type { Plan } from '../work-distributor/plan.ts';

const FEATURE_CHARS_IN_TASK = 6_000;

/** What a planner's reply has to look like, for programs that check it. */
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

export interface Findings {
  readonly by: string;
  readonly text: string;
  readonly messageId: string;
}

export function researchQuestion(feature: string, directory: string): string {
  return [
    'Before anything is built: please look around in the repository and report what matters for this feature.',
    'Which modules does it touch, what do their tests cover, what could go wrong? Name files.',
    '',
    `The checkout is ${directory} (please change nothing there).`,
    '',
    'The feature:',
    '',
    feature,
  ].join('\n');
}

export function planQuestion(
  feature: string,
  { directory, findings, fault }: { directory: string; findings: Findings | null; fault: string | null },
): string {
  return [
    ...(fault === null ? [] : [`Your last plan cannot be used: ${fault}`, '']),
    'Please plan this feature as tasks for several agents who work at the same time, each in a checkout of its own.',
    'Reply with JSON: {"tasks":[{"id":"csv-quoting","title":"…","description":"…","files":["…"],"dependsOn":["…"]}]}',
    '',
    `The checkout is ${directory} (please change nothing there).`,
    ...(findings === null ? [] : ['', `What ${findings.by} found:`, '', findings.text]),
    '',
    'The feature:',
    '',
    feature,
  ].join('\n');
}

/** What is planned where nobody has a plan: one after the other, so that it needs no more than one agent. */
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

/** The beginning of a text, so that nobody's words fill the journal. */
export function excerpt(text: string): string {
  return cut(text, { charsMax: CHARS_MAX });
}
