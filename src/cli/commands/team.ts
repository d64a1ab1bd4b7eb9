import { pathToFileURL } from 'node:url';
import { InvalidInput } from '../../errors.ts';
import { importModule } from '../load-typescript.ts';
import type { Call, CliCommand } from '../command.ts';

const ACTIONS = ['init', 'start', 'status', 'resume', 'stop', 'list', 'clean'];

export const team: CliCommand = {
  name: 'team',
  summary: 'have agents build a feature in a git repository',
  operands: [
    { name: 'action', choices: ACTIONS },
    { name: 'run', optional: true },
  ],
  options: [
    { name: 'feature', value: 'text', summary: 'start: the feature to build, or @file' },
    { name: 'agents', value: 'list', summary: "alice=claude,bob=codex,carol='./my-agent': a preset or a command each" },
    { name: 'repo', value: 'path', summary: 'the repository; default: the one here' },
    { name: 'test', value: 'command', summary: 'runs the tests; default: what package.json, go.mod … name' },
    { name: 'setup', value: 'command', summary: 'prepares a new checkout; default: by the lock files, such as npm ci' },
    { name: 'no-setup', summary: 'run no set-up' },
    { name: 'known-failures', summary: 'start although tests of the base fail; those are never counted' },
    {
      name: 'base-may-fail',
      summary: 'start although they fail, as tests of the feature itself do; at the end all must pass',
    },
    { name: 'plan', value: 'file', summary: 'an existing plan (JSON)' },
    { name: 'branch', value: 'name', summary: 'the branch to deliver; default mailroom/<feature>' },
    { name: 'pull-request', summary: 'push the branch at the end, and open a pull request with gh' },
    { name: 'reviewers', value: 'count', summary: 'how many must approve a change; default 1' },
    { name: 'rounds', value: 'count', summary: 'rounds of one review; default 5' },
    { name: 'tries', value: 'count', summary: 'attempts of a program at a question; default 3' },
    { name: 'test-timeout', value: 'time', summary: 'for one run of the tests; default 15m' },
    { name: 'setup-timeout', value: 'time', summary: 'for the set-up of one checkout; default 15m' },
    { name: 'agent-timeout', value: 'time', summary: 'for one answer of a program; default 1h' },
    { name: 'lease', value: 'time', summary: 'how long a task stays with a silent agent; default 10m' },
    { name: 'max-hours', value: 'number', summary: 'end after this many hours; default 8' },
    { name: 'runs', value: 'directory', summary: 'where runs are kept; default <repository>.runs beside it' },
    { name: 'tmux', summary: 'give each agent a pane of its own' },
    { name: 'new', summary: 'start: another run although one of this feature has not ended' },
    { name: 'force', summary: 'clean: also what is nowhere else; start: on a network file system' },
    { name: 'dry-run', summary: 'start, init, clean: show what would be done' },
  ],
  details: `init writes mailroom.team.json into the repository: agents, set-up, tests, limits, meant to be committed. Options override it;
its JSON Schema is docs/team.schema.json of the package. start looks at the repository, runs its tests once, and only then has
agents research, plan, build, review and test the feature. It delivers a branch and the text of a pull request, and touches
nothing else. The same start, or resume, goes on with a run that was interrupted. stop interrupts it from elsewhere. status and
list say who works on what. clean removes a run's worktrees, branches and directory; with --force also what is not merged.
A run is named as list shows it. What follows a preset is added to its
command line; these edit files only with claude --permission-mode acceptEdits, codex --sandbox workspace-write, gemini
--approval-mode auto_edit. Exit codes of start and resume: 0 delivered, 1 not, 2 not ready to start, 130 interrupted.

  mailroom team init
  mailroom team start --feature 'Export orders as CSV' --dry-run
  mailroom team start --feature @feature.md --pull-request
  mailroom team status
  mailroom team resume export-orders-as-csv-1 --agents alice=claude,bob=gemini
  mailroom team clean export-orders-as-csv-1

More: docs/team.md`,
  run: async (call) => {
    const { runTeamCommand } = await loadTeam(call);
    const [action = '', run] = call.args.operands;
    try {
      return await runTeamCommand({ action, run, given: call.args.options, isJson: call.isJson });
    } catch (error) {
      // The program is another bundle, so that its class is another one as well.
      if ((error as Error | null)?.name !== 'NotStarted') throw error;
      throw new InvalidInput((error as Error).message);
    }
  },
};

interface TeamProgram {
  readonly runTeamCommand: (call: {
    readonly action: string;
    readonly run: string | undefined;
    readonly given: ReadonlyMap<string, string | true>;
    readonly isJson: boolean;
  }) => Promise<number>;
}

/** The program of the team, which is a user of this package as every machine is; it is installed beside the command. */
async function loadTeam({ program }: Call): Promise<TeamProgram> {
  return (await importModule(new URL('../machines/team/command.js', pathToFileURL(program)).href)) as TeamProgram;
}
