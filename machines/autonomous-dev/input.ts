import { z } from 'zod';
import { actorAddress, parseInput } from '../shared/input.ts';
import { REVIEW_ROUNDS_MAX, REVIEWERS_NEEDED_MAX } from '../code-review/review.ts';
import { parsePlan, unknownKeys, type Plan, type PlanInput } from '../work-distributor/plan.ts';
import type { Repository } from './repository.ts';

const TEXT_CHARS_MAX = 20_000;
const AGENTS_MAX = 100;
const HOURS_DEFAULT = 8;
const HOURS_MAX = 7 * 24;
const FIX_ROUNDS_DEFAULT = 3;
const FIX_ROUNDS_MAX = 10;
const LEASE_MINUTES_DEFAULT = 10;
const MINUTES_DEFAULT = 30;
const MINUTES_MAX = 24 * 60;
const REVIEW_ROUNDS_DEFAULT = 5;
const VOTE_SECONDS_DEFAULT = 300;
const TEST_MINUTES_DEFAULT = 15;

const path = z.string().min(1).regex(/^\//, 'expected an absolute path');
/** A name that git or gh cannot take for an option. */
const name = z.string().regex(/^[^-\s]\S*$/, 'expected a name');
const minutes = z.number().positive().max(MINUTES_MAX);

const loopInput = z.strictObject({
  /** The feature, described for people. */
  feature: z.string().trim().min(1).max(TEXT_CHARS_MAX),
  repository: z.strictObject({
    directory: path,
    base: z.string().regex(/^[0-9a-f]{40,64}$/, 'expected the full id of a commit'),
    branch: z.string().min(1),
    /** The id of the run, which no other run in this repository has. */
    run: z.string().regex(/^[a-z0-9]{4,40}$/, 'expected 4 to 40 lower-case letters and digits'),
    workDirectory: path,
    setup: z.string().optional(),
    setupMinutes: minutes.optional(),
  }),
  /** A shell command of the repository that exits with 0 if its tests pass. */
  testCommand: z.string().trim().min(1),
  /** Where the test command says which tests failed, so that failures of the base can be told apart. */
  testReport: z.strictObject({ format: z.enum(['junit', 'tap']), path: z.string().min(1) }).optional(),
  /**
   * What is done about the base: `must-pass` ends the run before anybody is asked if its tests fail there. `known-failures` accepts
   * what fails there for good. `may-fail` accepts it until the end, as where tests of the feature exist already. `untested` does not
   * run them.
   */
  base: z.enum(['must-pass', 'known-failures', 'may-fail', 'untested']).default('must-pass'),
  /** Where a pull request is opened after the delivery. Default: none is opened. */
  pullRequest: z.strictObject({ remote: name, base: name }).optional(),
  agents: z.array(actorAddress).min(2).max(AGENTS_MAX),
  /** The agent that is asked to research first. Default: the first agent. */
  researcher: actorAddress.optional(),
  /** The agent that is asked for a plan. Default: nobody. */
  planner: actorAddress.optional(),
  /** A plan that exists already. */
  plan: z.custom<PlanInput | string>((value) => value !== null).optional(),
  reviewersNeeded: z.number().int().min(1).max(REVIEWERS_NEEDED_MAX).default(1),
  reviewRounds: z.number().int().min(1).max(REVIEW_ROUNDS_MAX).default(REVIEW_ROUNDS_DEFAULT),
  fixRounds: z.number().int().min(0).max(FIX_ROUNDS_MAX).default(FIX_ROUNDS_DEFAULT),
  leaseMinutes: minutes.default(LEASE_MINUTES_DEFAULT),
  /** How long an answer to a question may take, and the claim of the first task. */
  answerMinutes: minutes.default(MINUTES_DEFAULT),
  reviewMinutes: minutes.default(MINUTES_DEFAULT),
  voteSeconds: z.number().positive().default(VOTE_SECONDS_DEFAULT),
  testMinutes: minutes.default(TEST_MINUTES_DEFAULT),
  maxHours: z.number().positive().max(HOURS_MAX).default(HOURS_DEFAULT),
});

const checkedInput = loopInput.refine(({ agents, reviewersNeeded }) => reviewersNeeded < new Set(agents).size, {
  path: ['reviewersNeeded'],
  message: 'expected fewer than the number of agents, because nobody reviews their own work',
});

/** The input of the loop. */
export type LoopInput = z.input<typeof loopInput>;

/** The input after validation, with defaults filled in. */
export interface LoopSettings extends Omit<
  z.output<typeof loopInput>,
  'plan' | 'planner' | 'researcher' | 'repository'
> {
  readonly repository: Repository;
  readonly researcher: string;
  readonly planner: string | null;
  /** The plan given in the input. */
  readonly plan: Plan | null;
  /** Its unknown keys, one text each. */
  readonly planIgnored: readonly string[];
}

/** Throws a TypeError that lists all faults of the input on one line. */
export function parseLoop(input: unknown): LoopSettings {
  const { plan, planner, researcher, ...settings } = parseInput(checkedInput, input, {
    what: 'development',
    example:
      '{"feature":"…","repository":{"directory":"/…","base":"<commit>","branch":"…","run":"<id>","workDirectory":"/…"},"testCommand":"npm test","agents":["…","…"]}',
  });
  return {
    ...settings,
    researcher: researcher ?? settings.agents[0] ?? '',
    planner: planner ?? null,
    plan: plan === undefined ? null : parsePlan(plan),
    planIgnored: plan === undefined ? [] : unknownKeys(plan),
  };
}
