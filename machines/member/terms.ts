import { parseArgs } from 'node:util';

/** What a member is started with. */
export interface MemberTerms {
  readonly address: string;
  /** The run: the room and all checkouts lie below it, and the mind runs in it. */
  readonly directory: string;
  /** The user's repository, whose checkouts they are. */
  readonly repository: string;
  /** A shell command whose exit code is 0 when all is well. */
  readonly testCommand: string;
  /** A shell command that makes a new checkout ready. */
  readonly setup: string | undefined;
  readonly testMinutes: number;
  readonly setupMinutes: number;
  /** Words behind `mailroom agent <address>.mind`, which say what thinks. */
  readonly mind: readonly string[];
}

/** The address of the program that thinks for a member. */
export function mindOf(address: string): string {
  return `${address}.mind`;
}

/** The words of a member's command line, which `parseMember` reads. */
export function memberWords(terms: MemberTerms): string[] {
  const { address, directory, repository, testCommand, setup, testMinutes, setupMinutes, mind } = terms;
  return [
    address,
    `--directory=${directory}`,
    `--repository=${repository}`,
    `--test=${testCommand}`,
    ...(setup === undefined ? [] : [`--setup=${setup}`]),
    `--test-minutes=${testMinutes}`,
    `--setup-minutes=${setupMinutes}`,
    '--',
    ...mind,
  ];
}

/** Throws a TypeError that says how a member is started. */
export function parseMember(words: readonly string[]): MemberTerms {
  const end = words.indexOf('--');
  const { values, positionals } = parseArgs({
    args: words.slice(0, end === -1 ? undefined : end),
    allowPositionals: true,
    options: {
      directory: { type: 'string' },
      repository: { type: 'string' },
      test: { type: 'string' },
      setup: { type: 'string' },
      'test-minutes': { type: 'string' },
      'setup-minutes': { type: 'string' },
    },
  });
  const [address] = positionals;
  const { directory, repository, test: testCommand, setup } = values;
  const mind = end === -1 ? [] : words.slice(end + 1);
  if (!address || !directory || !repository || !testCommand || mind.length === 0) {
    throw new TypeError(
      'Usage: member.ts <address> --directory <run> --repository <path> --test <command> [--setup <command>] --test-minutes <n> --setup-minutes <n> -- --preset <name>',
    );
  }
  const [testMinutes, setupMinutes] = [values['test-minutes'], values['setup-minutes']].map(Number) as [number, number];
  if (!(testMinutes > 0 && setupMinutes > 0))
    throw new TypeError('--test-minutes and --setup-minutes: expected minutes');
  return { address, directory, repository, testCommand, setup, testMinutes, setupMinutes, mind };
}
