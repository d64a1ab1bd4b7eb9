import { parseArgs } from 'node:util';
import { assertNewAddress } from 'agent-mailroom';

/** How an agent is run: its address, and the command or preset that answers its mail. */
export interface AgentOption {
  readonly address: string;
  /** `claude`, `codex --sandbox workspace-write` …, or a command. */
  readonly by: string;
}

export interface Options {
  /** The user's repository. Default: the example that ships. */
  readonly repo: string | undefined;
  readonly feature: string | undefined;
  readonly agents: readonly AgentOption[] | undefined;
  readonly plan: string | undefined;
  readonly test: string | undefined;
  readonly setup: string | undefined;
  readonly branch: string | undefined;
  readonly runs: string | undefined;
  /** Whether the branch is pushed and a pull request opened. */
  readonly wantsPullRequest: boolean;
  readonly maxHours: number | undefined;
  readonly isNew: boolean;
  /** Whether the room may lie on a network file system. */
  readonly isForced: boolean;
  readonly isDryRun: boolean;
  readonly inTmux: boolean;
  readonly wantsHelp: boolean;
}

export const HELP = `npm start                                         the example: four scripted agents build a feature
npm start -- --repo <path> --feature <text|@file> --agents <list>

  --repo <path>         the git repository to work in; only a new branch and worktrees are created
  --feature <text>      the feature to build, or @file
  --agents <list>       alice=claude,bob=codex,carol='./my-agent --quiet': an address and a preset or a command each;
                        what follows a preset is added to its own command line (may be given more than once). These edit
                        files only with: claude --permission-mode acceptEdits, codex --sandbox workspace-write,
                        gemini --approval-mode auto_edit
  --plan <file>         an existing plan (JSON)
  --test <command>      the command that runs the tests. Default: npm test, if package.json has a test script
  --setup <command>     prepares a new checkout, such as 'npm ci'
  --branch <name>       the branch to deliver. Default: mailroom/<feature>
  --pull-request        after the delivery, push the branch and open a pull request with gh, against the upstream of your
                        branch; without this option nothing leaves this machine
  --runs <directory>    where runs are kept: the room, the checkouts, the text of the pull request. Default:
                        <repository>.runs next to the repository
  --max-hours <number>  stop after this many hours. Default: 8
  --tmux                give each agent a pane of its own
  --new                 start a new run although an earlier one has not ended
  --force               keep the run on a network file system, which then only this machine may use
  --dry-run             show what would be done, and do nothing

An interrupted run resumes when the same command is repeated, whatever interrupted it.`;

/** A mistake in the command line, or something that is missing on this machine. One line; nothing was changed. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
}

/** Throws NotStarted. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parsed(args);
  const { 'max-hours': hours, agents } = values;
  const maxHours = hours === undefined ? undefined : Number(hours);
  if (maxHours !== undefined && !(maxHours > 0))
    throw new NotStarted(`--max-hours ${hours ?? ''}: expected a number of hours, such as 2 or 0.5.`);
  if (values.repo !== undefined && (values.feature === undefined || agents === undefined)) {
    throw new NotStarted('--repo requires --feature and --agents. See: npm start -- --help');
  }
  if (values.repo === undefined && (values.feature !== undefined || agents !== undefined)) {
    throw new NotStarted('--feature and --agents are for a repository of your own: add --repo <path>.');
  }
  if (values.repo === undefined && values['pull-request']) {
    throw new NotStarted('--pull-request is for a repository of your own: add --repo <path>.');
  }
  return {
    repo: values.repo,
    feature: values.feature,
    agents: agents === undefined ? undefined : parseAgents(agents),
    plan: values.plan,
    test: values.test,
    setup: values.setup,
    branch: values.branch,
    runs: values.runs,
    wantsPullRequest: values['pull-request'] ?? false,
    maxHours,
    isNew: values.new ?? false,
    isForced: values.force ?? false,
    isDryRun: values['dry-run'] ?? false,
    inTmux: values.tmux ?? false,
    wantsHelp: values.help ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        repo: { type: 'string' },
        feature: { type: 'string' },
        agents: { type: 'string', multiple: true },
        plan: { type: 'string' },
        test: { type: 'string' },
        setup: { type: 'string' },
        branch: { type: 'string' },
        runs: { type: 'string' },
        'pull-request': { type: 'boolean' },
        'max-hours': { type: 'string' },
        new: { type: 'boolean' },
        force: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        tmux: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new NotStarted(`${(error as Error).message} See: npm start -- --help`);
  }
}

/** Throws NotStarted for an address under which nobody can join. */
function assertJoinable(address: string): void {
  try {
    assertNewAddress(address);
  } catch (error) {
    const { message, hint = '' } = error as Error & { readonly hint?: string };
    throw new NotStarted(`--agents: ${message} ${hint}`.trim());
  }
}

const AGENT = /^\s*([a-z0-9][a-z0-9_.-]*)\s*=\s*(.+?)\s*$/;

/** The separator of two agents: a comma before an address and an equals sign. Other commas belong to a command. */
const BETWEEN = /,(?=\s*[a-z0-9][a-z0-9_.-]*\s*=)/;

function parseAgents(texts: readonly string[]): AgentOption[] {
  const all = texts.flatMap((text) => text.split(BETWEEN));
  const agents = all.map((one): AgentOption => {
    const [, address = '', by = ''] = AGENT.exec(one) ?? [];
    if (by === '')
      throw new NotStarted(`--agents: ${JSON.stringify(one)} is no agent; expected alice=claude or alice='<command>'.`);
    assertJoinable(address);
    return { address, by };
  });
  const names = agents.map(({ address }) => address);
  if (new Set(names).size < names.length) throw new NotStarted('--agents: two agents have the same address.');
  if (agents.length < 2)
    throw new NotStarted('--agents: expected at least two, because nobody reviews their own work.');
  return agents;
}
