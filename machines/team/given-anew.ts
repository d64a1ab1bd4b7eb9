import { isExampleRun } from './example.ts';
import { memberProgram } from './member-program.ts';
import { type AgentOption, NotStarted, type Options, readPlan } from './options.ts';
import { type AgentLimits, type Run, runName } from './run-directory.ts';

/**
 * The run with what `options` give anew: other programs for its agents are taken over, and everything that the run's workflow holds
 * since its start is refused with the reason. Throws NotStarted.
 */
export function withGivenAnew(run: Run, options: Options): Run {
  const { input, limits = { agentMinutes: null, tries: null } } = run;
  assertSamePullRequest(run, options);
  for (const { option, given, has } of fixedOptions(run, options)) {
    if (given === undefined || given === has) continue;
    throw new NotStarted(
      `--${option} cannot change in a run that has begun: ${runName(run)} has ${String(has ?? 'the default')}, and its workflow keeps that. Resume it without --${option}, or start another run with --new.`,
    );
  }
  const changed: AgentLimits = {
    agentMinutes: options.agentMinutes ?? limits.agentMinutes,
    tries: options.tries ?? limits.tries,
  };
  const isSame = changed.agentMinutes === limits.agentMinutes && changed.tries === limits.tries;
  if (isExampleRun(run) || (options.agents === undefined && isSame)) return run;
  const before = run.agents.map(({ address, shown = '' }): AgentOption => ({ address, by: shown }));
  const team = options.agents ?? before;
  const names = (agents: readonly AgentOption[]): string =>
    agents
      .map(({ address }) => address)
      .sort()
      .join(', ');
  if (names(team) !== names(before)) {
    throw new NotStarted(
      `--agents names ${names(team)}, but ${runName(run)} has ${names(before)}, whom tasks and reviews are given to. Name the same agents, with any programs, or start another run with --new.`,
    );
  }
  const { directory } = run;
  return {
    ...run,
    limits: changed,
    agents: team.map((one) => memberProgram(one, { directory, input, limits: changed })),
  };
}

/** What the workflow of a run keeps since its start, as its options would give it. */
function fixedOptions(
  { input }: Run,
  options: Options,
): {
  readonly option: string;
  readonly given: string | number | undefined;
  readonly has: string | number | undefined;
}[] {
  const { repository, testCommand, testMinutes, reviewersNeeded, reviewRounds, leaseMinutes, maxHours } = input;
  const plan = options.plan === undefined ? undefined : readPlan(options.plan);
  return [
    { option: 'test', given: options.test, has: testCommand },
    { option: 'setup', given: options.setup ?? undefined, has: repository.setup },
    { option: 'no-setup', given: options.setup === null ? '' : undefined, has: repository.setup ?? '' },
    { option: 'branch', given: options.branch, has: repository.branch },
    { option: 'plan', given: plan, has: typeof input.plan === 'string' ? input.plan : undefined },
    { option: 'known-failures', given: options.knownFailures ? 'known-failures' : undefined, has: input.base },
    { option: 'base-may-fail', given: options.baseMayFail ? 'may-fail' : undefined, has: input.base },
    { option: 'test-timeout', given: options.testMinutes, has: testMinutes },
    { option: 'setup-timeout', given: options.setupMinutes, has: repository.setupMinutes },
    { option: 'reviewers', given: options.reviewers, has: reviewersNeeded },
    { option: 'rounds', given: options.rounds, has: reviewRounds },
    { option: 'lease', given: options.leaseMinutes, has: leaseMinutes },
    { option: 'max-hours', given: options.maxHours, has: maxHours },
  ];
}

/** Throws NotStarted for a run that was to open no pull request and now is: what is pushed is decided at its start. */
function assertSamePullRequest(run: Run, { wantsPullRequest }: Options): void {
  if (!wantsPullRequest || run.input.pullRequest !== undefined) return;
  throw new NotStarted(
    `${runName(run)} was started without --pull-request. Resume it without, and open the pull request by hand, or start another run with --new.`,
  );
}
