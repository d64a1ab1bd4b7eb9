import fs from 'node:fs';
import { assertNewAddress } from 'agent-mailroom';
import type { TestReport } from '../autonomous-dev/test-report.ts';
import { parseMinutes } from '../shared/duration.ts';
import { parsePlan } from '../work-distributor/plan.ts';

/** How an agent is run: its address, and the command or preset that answers its mail. */
export interface AgentOption {
  readonly address: string;
  /** `claude`, `codex --sandbox workspace-write` …, or a command. */
  readonly by: string;
}

/** What a run can be told, on the command line or in `mailroom.team.json`. */
export interface RunSettings {
  readonly agents?: readonly AgentOption[] | undefined;
  readonly test?: string | undefined;
  /** Null for none. */
  readonly setup?: string | null | undefined;
  /** Where the test command says which tests failed; only in the file. */
  readonly report?: TestReport | undefined;
  readonly knownFailures?: boolean | undefined;
  /** Whether tests of the base may fail until the end, as those of the feature do. */
  readonly baseMayFail?: boolean | undefined;
  readonly testMinutes?: number | undefined;
  readonly setupMinutes?: number | undefined;
  /** How long one answer of an agent's program may take. */
  readonly agentMinutes?: number | undefined;
  /** How often a question is put to a program that fails. */
  readonly tries?: number | undefined;
  readonly reviewers?: number | undefined;
  /** Of one review. */
  readonly rounds?: number | undefined;
  readonly leaseMinutes?: number | undefined;
  readonly maxHours?: number | undefined;
}

export interface Options extends RunSettings {
  /** The user's repository. Default: the example that ships. */
  readonly repo: string | undefined;
  readonly feature: string | undefined;
  readonly plan: string | undefined;
  readonly branch: string | undefined;
  readonly runs: string | undefined;
  /** Whether the branch is pushed and a pull request opened. */
  readonly wantsPullRequest: boolean;
  readonly isNew: boolean;
  /** Whether the room may lie on a network file system, and `clean` may remove what is nowhere else. */
  readonly isForced: boolean;
  readonly isDryRun: boolean;
  readonly inTmux: boolean;
}

/** Options with a value, then flags, as both the command `mailroom team` and `npm start` take them. */
export const VALUES = [
  'agent-timeout',
  'agents',
  'branch',
  'feature',
  'lease',
  'max-hours',
  'plan',
  'repo',
  'reviewers',
  'rounds',
  'runs',
  'setup',
  'setup-timeout',
  'test',
  'test-timeout',
  'tries',
] as const;
export const FLAGS = [
  'base-may-fail',
  'dry-run',
  'force',
  'known-failures',
  'new',
  'no-setup',
  'pull-request',
  'tmux',
] as const;

/** The options as they were given; a flag is true. */
export type GivenOptions = ReadonlyMap<string, string | true>;

/** A mistake in the command line, or something that is missing on this machine. One line; nothing was changed. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
}

const REVIEWERS_MAX = 5;
const ROUNDS_MAX = 20;
const TRIES_MAX = 20;

/** Throws NotStarted. */
export function optionsOf(given: GivenOptions): Options {
  const text = (name: (typeof VALUES)[number]): string | undefined => {
    const value = given.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const has = (name: (typeof FLAGS)[number]): boolean => given.has(name);
  const minutes = (name: (typeof VALUES)[number]): number | undefined => minutesOf(name, text(name));
  const count = (name: (typeof VALUES)[number], max: number): number | undefined => countOf(name, text(name), max);
  const agents = text('agents');
  if (has('no-setup') && text('setup') !== undefined)
    throw new NotStarted('--setup and --no-setup exclude each other. Give one of them.');
  if (has('known-failures') && has('base-may-fail'))
    throw new NotStarted('--known-failures and --base-may-fail exclude each other. Give one of them.');
  return {
    repo: text('repo'),
    feature: text('feature'),
    agents: agents === undefined ? undefined : parseAgents(agents),
    plan: text('plan'),
    test: text('test'),
    setup: has('no-setup') ? null : text('setup'),
    branch: text('branch'),
    runs: text('runs'),
    knownFailures: has('known-failures') || undefined,
    baseMayFail: has('base-may-fail') || undefined,
    testMinutes: minutes('test-timeout'),
    setupMinutes: minutes('setup-timeout'),
    agentMinutes: minutes('agent-timeout'),
    tries: count('tries', TRIES_MAX),
    reviewers: count('reviewers', REVIEWERS_MAX),
    rounds: count('rounds', ROUNDS_MAX),
    leaseMinutes: minutes('lease'),
    maxHours: hoursOf(text('max-hours')),
    wantsPullRequest: has('pull-request'),
    isNew: has('new'),
    isForced: has('force'),
    isDryRun: has('dry-run'),
    inTmux: has('tmux'),
  };
}

function hoursOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const hours = Number(text);
  if (text.trim() !== '' && hours > 0 && Number.isFinite(hours)) return hours;
  throw new NotStarted(`--max-hours ${text}: expected a number of hours, such as 2 or 0.5.`);
}

function minutesOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const minutes = parseMinutes(text);
  if (minutes !== undefined) return minutes;
  throw new NotStarted(`--${name} ${text}: expected a time of at most 24h, such as 90s, 15m or 2h.`);
}

function countOf(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= max) return count;
  throw new NotStarted(`--${name} ${text}: expected a whole number from 1 to ${max}.`);
}

const AGENT = /^\s*([a-z0-9][a-z0-9_.-]*)\s*=\s*(.+?)\s*$/;

/** The separator of two agents: a comma before an address and an equals sign. Other commas belong to a command. */
const BETWEEN = /,(?=\s*[a-z0-9][a-z0-9_.-]*\s*=)/;

function parseAgents(text: string): AgentOption[] {
  const agents = text.split(BETWEEN).map((one): AgentOption => {
    const [, address = '', by = ''] = AGENT.exec(one) ?? [];
    if (by === '')
      throw new NotStarted(`--agents: ${JSON.stringify(one)} is no agent; expected alice=claude or alice='<command>'.`);
    return { address, by };
  });
  assertTeam(agents, '--agents');
  return agents;
}

/** Throws NotStarted for a team that cannot work: fewer than two agents, an address twice, or one under which nobody can join. */
export function assertTeam(agents: readonly AgentOption[], where: string): void {
  for (const { address } of agents) {
    try {
      assertNewAddress(address);
    } catch (error) {
      const { message, hint = '' } = error as Error & { readonly hint?: string };
      throw new NotStarted(`${where}: ${message} ${hint}`.trim());
    }
  }
  const names = agents.map(({ address }) => address);
  if (new Set(names).size < names.length) throw new NotStarted(`${where}: two agents have the same address.`);
  if (agents.length < 2)
    throw new NotStarted(`${where}: expected at least two agents, because nobody reviews their own work.`);
}

/** The text of a plan's file. Throws NotStarted unless it is a plan. */
export function readPlan(file: string): string {
  try {
    const text = fs.readFileSync(file, 'utf8');
    parsePlan(text);
    return text;
  } catch (error) {
    throw new NotStarted(`--plan ${file}: ${(error as Error).message}`);
  }
}
