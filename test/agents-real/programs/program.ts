import fs from 'node:fs';
import path from 'node:path';
import type { Answer, Dialect } from '../../../fixtures/agents/models/model-server.ts';
import type { PresetName } from '../../../src/agents/presets.ts';

/** Where a program runs in a test: nothing of the user who runs the tests is in there. */
export interface Place {
  readonly home: string;
  /** Outside of git, unless a test makes a repository of it. */
  readonly project: string;
  readonly modelUrl: string;
}

export type Env = Record<string, string>;

/** A failure that no retry heals: what brings it about, and what the asker has to be told of it. */
export interface FinalFailure {
  readonly answer?: Answer;
  /** Changes what was set up for a run that succeeds. */
  change?(place: Place, env: Env): void;
  readonly told: RegExp;
}

/** A real program, and how it is brought into the situations of the tests. */
export interface RealProgram {
  readonly preset: PresetName;
  readonly package: string;
  readonly dialect: Dialect;
  /** Writes its configuration and returns its environment: this model, no telemetry, no update. */
  setUp(place: Place): Env;
  readonly failures: Readonly<Record<FailureName, FinalFailure>>;
  /** The error of a server that works again later. */
  readonly passing: Answer;
  /** Where it keeps its sessions, in the home directory. */
  readonly sessions: string;
  /** What it acts on in a prompt, each with the line that shows it and what the model then sees. */
  readonly expands: readonly ExpandedForm[];
  /** Makes it stay after it has answered; none is known for every program. */
  hang?(place: Place, marker: string): void;
  /** Whether it runs a command that nobody allowed, when there is nobody to ask, and whether its output names the tool. */
  readonly denial: 'named' | 'unnamed' | 'none';
  /** Whether it runs in a directory that nobody told it to trust. */
  readonly trustsAll: boolean;
  /** What a repository can bring along that is run in here, and how much of it is once the user has named the directory. */
  readonly repository: {
    /** `touch` makes the command that leaves a mark of that name. */
    setUp(project: string, touch: (mark: string) => string): void;
    readonly runs: readonly ('hook' | 'server' | 'plugin')[];
  };
  readonly terminal: {
    readonly args: readonly string[];
    /** Before a first prompt, among its arguments. */
    readonly promptOption?: string;
    /** Is on the screen when it takes a line. */
    readonly ready: RegExp;
    /** Lets it run in the project, asking before each command. */
    setUp(place: Place): void;
    /** Makes it ask the person whether `touch made.txt` may run. */
    readonly asks: Answer;
    /** Is on the screen while it asks. */
    readonly dialog: RegExp;
    /** A key that selects the second of the answers it offers, and what the screen, with its colours, then shows. */
    readonly select: { readonly key: string; readonly shown: RegExp };
  };
}

/** A program whose sessions join by Mailroom's hooks. */
export interface HookedProgram extends RealProgram {
  readonly hooks: {
    /** More arguments, by which it trusts the hooks of the project without asking. */
    readonly args: readonly string[];
    /** Lets it run commands of its shell tool without asking. */
    allowCommands(place: Place): void;
    /** Has it run a line of shell. */
    runs(line: string): Answer;
    /** Whether mail wakes a session that waits for a person's prompt. */
    readonly wakes: boolean;
  };
}

export const FAILURES = [
  'a key that is not accepted',
  'not logged in',
  'no credit',
  'a model that does not exist',
] as const;

export type FailureName = (typeof FAILURES)[number];

export interface ExpandedForm {
  readonly form: string;
  readonly line: string;
  /** Is in what the model is given where the form was expanded. */
  readonly shows: string;
}

/** A file of the project and one outside of it, which no message may have read. */
export const PROJECT_SECRET = 'text of the file in the project';
export const HOME_SECRET = 'text of the file in the home directory';
export const RESOURCE_SECRET = 'text of the resource';
export const SKILL_SECRET = 'text of the skill';

const MCP_NOTES = path.resolve(import.meta.dirname, '../../../fixtures/agents/mcp-notes.mjs');

/** The command line of an MCP server called `notes` with the resource notes://one. */
export const NOTES_COMMAND = [process.execPath, MCP_NOTES, RESOURCE_SECRET] as const;

export function writeFile(file: string, content: string | object): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

/** Merges into a JSON file what a test adds to a configuration. */
export function addToJson(file: string, more: object): void {
  writeFile(file, { ...(JSON.parse(fs.readFileSync(file, 'utf8')) as object), ...more });
}
