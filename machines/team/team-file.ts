import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { parseMinutes } from '../shared/duration.ts';
import { assertTeam, NotStarted, type RunSettings } from './options.ts';

/** The settings of a team, in the root of the repository and meant to be committed. */
export const TEAM_FILE = 'mailroom.team.json';

const time = z
  .string()
  .refine((text) => parseMinutes(text) !== undefined, 'expected a time of at most 24h, such as "90s", "15m" or "2h"');
const count = (max: number): z.ZodNumber => z.number().int().min(1).max(max);

const teamFile = z.strictObject({
  $schema: z.string().optional().describe('For editors: where this schema lies.'),
  agents: z
    .record(z.string(), z.string().trim().min(1))
    .optional()
    .describe(
      'An address and, for it, a preset (claude, codex, gemini, opencode) with its options, or a command. At least two.',
    ),
  setup: z
    .string()
    .trim()
    .min(1)
    .nullable()
    .optional()
    .describe(
      'The command that makes a new checkout ready, such as "npm ci"; null for none. Default: by the lock files.',
    ),
  test: z
    .string()
    .trim()
    .min(1)
    .optional()
    .describe('The command that runs the tests; exit code 0 means that they pass.'),
  report: z
    .strictObject({
      format: z.enum(['junit', 'tap']),
      path: z
        .string()
        .min(1)
        .refine(
          (one) => !path.isAbsolute(one) && !one.split(/[\\/]/).includes('..'),
          'expected a path inside the checkout',
        )
        .describe(
          'A file, or a directory of XML files, that the test command writes in the checkout; for TAP also "-", its output.',
        ),
    })
    .optional()
    .describe('Where the test command says which tests failed.'),
  knownFailures: z.boolean().optional().describe('Accept tests that fail before anything was changed.'),
  testTimeout: time.optional().describe('How long the tests may take. Default: 15m.'),
  setupTimeout: time.optional().describe('How long the set-up may take. Default: 15m.'),
  agentTimeout: time.optional().describe('How long one answer of an agent may take. Default: 1h.'),
  tries: count(20).optional().describe('How often a question is put to a program that fails. Default: 3.'),
  reviewers: count(5).optional().describe('How many reviewers must approve a change. Default: 1.'),
  rounds: count(20).optional().describe('How many rounds a review may take. Default: 5.'),
  lease: time.optional().describe('How long a task stays with an agent that is not heard of. Default: 10m.'),
  maxHours: z.number().positive().max(168).optional().describe('The run ends after this many hours. Default: 8.'),
});

export type TeamFile = z.input<typeof teamFile>;

/** The JSON Schema of the file, which is published as `docs/team.schema.json`. */
export function teamFileSchema(): object {
  return {
    ...z.toJSONSchema(teamFile, { io: 'input' }),
    title: 'mailroom.team.json',
    description: 'The team of agents that works on this repository: https://www.npmjs.com/package/agent-mailroom',
  };
}

/** The settings in a repository's file; none without a file. Throws NotStarted with every fault on one line. */
export function readTeamFile(repository: string): RunSettings {
  const file = path.join(repository, TEAM_FILE);
  if (!fs.existsSync(file)) return {};
  const { agents, report, knownFailures, setup, test, tries, reviewers, rounds, maxHours, ...times } = parsed(file);
  const team = agents && Object.entries(agents).map(([address, by]) => ({ address, by }));
  if (team) assertTeam(team, file);
  const minutes = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : parseMinutes(text);
  return {
    agents: team,
    test,
    setup,
    report,
    knownFailures,
    testMinutes: minutes(times.testTimeout),
    setupMinutes: minutes(times.setupTimeout),
    agentMinutes: minutes(times.agentTimeout),
    tries,
    reviewers,
    rounds,
    leaseMinutes: minutes(times.lease),
    maxHours,
  };
}

function parsed(file: string): z.output<typeof teamFile> {
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw new NotStarted(`${file} cannot be read: ${(error as Error).message}. Correct it and start again.`);
  }
  const checked = teamFile.safeParse(value);
  if (checked.success) return checked.data;
  const faults = checked.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`);
  throw new NotStarted(
    `${file}: ${faults.join('; ')}. Correct it and start again; mailroom help team names the schema.`,
  );
}

/** The settings of the command line, each one that is missing there taken from the file. */
export function withTeamFile<T extends RunSettings>(options: T, file: RunSettings): T {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...options, ...file, ...given };
}
