import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** Where text leaves the program through one medium, and what makes it inert there. */
interface Medium {
  readonly finds: RegExp;
  /** By file: the number of places, and the function that the text goes through, or why none is needed. */
  readonly callers: Readonly<Record<string, readonly [count: number, through: string]>>;
}

const MEDIA: Readonly<Record<string, Medium>> = {
  'the terminal': {
    finds: /\bconsole\.\w+\(|\bprocess\.(?:stdout|stderr)\b|\bwrite\(STD(?:OUT|ERR),|\.write(?:Sync)?\([12],/g,
    callers: {
      'machines/team/show.ts': [2, 'visibleLines('],
      'machines/team/command.ts': [2, 'only hears that nobody reads it any more'],
      'src/cli/output.ts': [2, 'visibleLines('],
      'src/host/watchdog-thread.ts': [1, 'The cause is inert already'],
    },
  },
  Markdown: {
    finds: /'[\w.-]+\.md'|'--body-file'/g,
    callers: {
      'machines/autonomous-dev/conventions.ts': [3, 'only reads the files'],
      'machines/autonomous-dev/loop.ts': [1, 'pullRequestText('],
      'machines/autonomous-dev/pull-request.ts': [2, 'bodyFile('],
      'machines/team/prepare.ts': [1, 'only names the file'],
      'machines/team/example.ts': [1, 'only reads the file'],
      'src/cli/instruction-files.ts': [3, 'AGENTS_NOTE'],
      'src/hooks/install/hook-files.ts': [3, 'The signs of each program'],
    },
  },
  'the text of the pull request': {
    finds: /\b(?:markdownText|codeSpan|codeBlock|quotedMarkdown)\(/g,
    callers: {
      'machines/autonomous-dev/pull-request.ts': [22, 'markdownDocument('],
      'machines/shared/markdown.ts': [6, 'the functions themselves'],
    },
  },
  'the title of a pull request': {
    finds: /'--title'/g,
    callers: { 'machines/autonomous-dev/pull-request.ts': [1, 'titleOf('] },
  },
  'messages of commits': {
    finds: /\['(?:commit|merge|tag|notes|cherry-pick|revert|rebase|am|commit-tree|stash)',/g,
    callers: {
      'machines/autonomous-dev/merge.ts': [2, 'the message of a merge'],
      'machines/member/checkout.ts': [1, 'commitMessage('],
      'machines/member/work.ts': [1, "git's own message"],
      'machines/team/example.ts': [1, 'a constant'],
    },
  },
  'the message of a merge': {
    finds: /src: 'merge'/g,
    callers: { 'machines/autonomous-dev/working-state.ts': [1, 'commitMessage('] },
  },
  refs: {
    finds: /\['(?:branch|update-ref|symbolic-ref|checkout|switch|push|fetch)',|'worktree', 'add'/g,
    callers: {
      'machines/autonomous-dev/checkouts.ts': [3, 'refPart('],
      'machines/autonomous-dev/integration.ts': [2, 'the branch that is delivered, or none'],
      'machines/autonomous-dev/merge.ts': [4, 'the branch that is delivered, or none'],
      'machines/autonomous-dev/pull-request.ts': [1, 'the branch that is delivered'],
      'machines/team/preflight.ts': [1, 'featureSlug('],
      'machines/team/clean.ts': [1, 'only removes what it has found'],
      'machines/member/review.ts': [1, 'no branch: it is detached'],
    },
  },
  'the branches of tasks': {
    finds: /\btaskBranches\(/g,
    callers: {
      'machines/autonomous-dev/repository.ts': [2, 'refPart('],
      'machines/team/left-behind.ts': [2, 'only looks for them'],
      'machines/team/clean.ts': [1, 'only looks for them'],
    },
  },
};

/** Files that cut text which nobody wrote, by the text that is cut. */
const CUT_BY_LENGTH: Readonly<Record<string, readonly string[]>> = {
  'ids and hashes': [
    'src/agents/question.ts',
    'src/cli/print/mail.ts',
    'src/hooks/hook-event.ts',
    'src/hooks/introduction.ts',
    'src/hooks/mail-text.ts',
    'src/message/layout.ts',
    'machines/autonomous-dev/pull-request.ts',
    'machines/code-review/text.ts',
    'machines/code-review/feedback.ts',
    'machines/consensus/text.ts',
    'machines/team/show.ts',
    'machines/poll/text.ts',
  ],
  'small letters, digits and hyphens': ['src/step/child-address.ts', 'machines/shared/git-ref.ts'],
  'text that is looked through for JSON': ['src/agents/reply-data.ts'],
  'what our own watcher says': ['src/host/node-responder.ts'],
  'output that is held until it is cut': ['src/agents/judge.ts', 'machines/shared/run-program.ts'],
};

/** A source without the lines of its block comments, which hold examples. */
function codeOf(source: string): string {
  return source.replaceAll(/^ *\*.*$/gm, '');
}

const SOURCES: ReadonlyMap<string, string> = new Map(
  ['src', 'machines'].flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith('testing'))
      .map((file) => [`${folder}/${file}`, codeOf(fs.readFileSync(path.join(ROOT, folder, file), 'utf8'))] as const),
  ),
);

function countsOf(pattern: RegExp): Record<string, number> {
  const counts = [...SOURCES].map(([file, source]) => [file, source.match(pattern)?.length ?? 0] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

it.each(Object.entries(MEDIA))('text reaches %s only at the listed places, through their functions', (_, medium) => {
  const { finds, callers } = medium;
  // A new place belongs on the list, with the function that makes foreign text inert there.
  expect(countsOf(finds)).toEqual(Object.fromEntries(Object.entries(callers).map(([file, [count]]) => [file, count])));
  const functions = Object.entries(callers).filter(([, [, through]]) => through.endsWith('('));
  expect(functions.filter(([file, [, through]]) => !SOURCES.get(file)?.includes(through))).toEqual([]);
});

it('foreign text is cut by `cut`, and by length only at the listed places', () => {
  const cuts = countsOf(/\.(?:slice|substring|substr)\((?:0, |-)(?:[A-Z_]*CHARS[A-Z_]*|[2-9]\d|\d[\d_]{2,})\)/g);
  expect(Object.keys(cuts).toSorted()).toEqual(Object.values(CUT_BY_LENGTH).flat().toSorted());
});

it('one file decides what acts on a terminal', () => {
  expect(Object.keys(countsOf(/Bidi_Control|\\u202[a-e]/gi))).toEqual(['src/visible.ts']);
});

it('a new caller would be noticed', () => {
  const { finds = /$^/ } = MEDIA['the terminal'] ?? {};
  expect("console.log(text); process.stderr.write('x')".match(finds)).toHaveLength(2);
});
