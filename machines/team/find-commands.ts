import fs from 'node:fs';
import path from 'node:path';
import { NotStarted } from './options.ts';

/** How a package manager or language makes a checkout ready and runs the tests, known by a file in the repository's root. */
interface Tool {
  readonly file: string;
  readonly setup?: string;
  readonly test?: string;
}

/** Package managers of JavaScript, the first that is found; they share package.json, whose test script is run with them. */
const JAVASCRIPT: readonly Tool[] = [
  { file: 'pnpm-lock.yaml', setup: 'pnpm install --frozen-lockfile', test: 'pnpm test' },
  { file: 'yarn.lock', setup: 'yarn install --frozen-lockfile', test: 'yarn test' },
  { file: 'bun.lock', setup: 'bun install --frozen-lockfile', test: 'bun run test' },
  { file: 'bun.lockb', setup: 'bun install --frozen-lockfile', test: 'bun run test' },
  { file: 'package-lock.json', setup: 'npm ci', test: 'npm test' },
  { file: 'npm-shrinkwrap.json', setup: 'npm ci', test: 'npm test' },
  { file: 'package.json', test: 'npm test' },
];

const PYTHON: readonly Tool[] = [
  { file: 'uv.lock', setup: 'uv sync --locked', test: 'uv run --locked pytest' },
  { file: 'poetry.lock', setup: 'poetry install --no-interaction', test: 'poetry run pytest' },
  {
    file: 'requirements.txt',
    setup: 'python3 -m venv .venv && .venv/bin/python -m pip install --quiet -r requirements.txt',
    test: '.venv/bin/python -m pytest',
  },
];

const OTHERS: readonly Tool[] = [
  { file: 'go.mod', setup: 'go mod download', test: 'go test ./...' },
  { file: 'Cargo.lock', setup: 'cargo fetch --locked', test: 'cargo test --locked' },
  { file: 'Gemfile.lock', setup: 'bundle install' },
];

/** What says that a Python project is tested by pytest. */
const PYTEST = /^\[tool\.pytest\b|^\[pytest\]|\bpytest\b/m;

/** Commands found in a repository; each undefined if there is no sign of one. */
export interface FoundCommands {
  readonly setup: string | undefined;
  readonly test: string | undefined;
}

/**
 * The set-up and the test command of a repository, by the files in its root. Nothing is run. A repository with several languages is
 * set up for each; its tests are those of the first that has some. Throws NotStarted for a package.json that is no JSON where it
 * would name the tests.
 */
export function findCommands(directory: string, { needsTest }: { readonly needsTest: boolean }): FoundCommands {
  const has = (file: string): boolean => fs.existsSync(path.join(directory, file));
  const script = needsTest && has('package.json') ? testScriptOf(path.join(directory, 'package.json')) : undefined;
  const isTested = script !== undefined && !script.includes('no test specified');
  const javascript = JAVASCRIPT.find(({ file }) => has(file));
  const python = PYTHON.find(({ file }) => has(file));
  const others = OTHERS.filter(({ file }) => has(file));
  const setups = [javascript && yarnBerry(directory, javascript), python?.setup, ...others.map(({ setup }) => setup)];
  const tests = [
    isTested ? javascript?.test : undefined,
    python && usesPytest(directory) ? python.test : undefined,
    ...others.map(({ test }) => test),
  ];
  const found = setups.filter((one) => one !== undefined);
  return {
    setup: found.length === 0 ? undefined : found.join(' && '),
    test: tests.find((one) => one !== undefined),
  };
}

/** The set-up of a JavaScript project; from its second major version on yarn has another option for it. */
function yarnBerry(directory: string, { file, setup }: Tool): string | undefined {
  const isBerry = file === 'yarn.lock' && fs.existsSync(path.join(directory, '.yarnrc.yml'));
  return isBerry ? 'yarn install --immutable' : setup;
}

function usesPytest(directory: string): boolean {
  return ['pytest.ini', 'pyproject.toml', 'setup.cfg', 'tox.ini', 'requirements.txt', 'conftest.py'].some((name) => {
    const file = path.join(directory, name);
    if (!fs.existsSync(file)) return false;
    return name === 'pytest.ini' || name === 'conftest.py' || PYTEST.test(fs.readFileSync(file, 'utf8'));
  });
}

function testScriptOf(file: string): string | undefined {
  try {
    const scripts = (JSON.parse(fs.readFileSync(file, 'utf8')) as { scripts?: Record<string, unknown> } | null)
      ?.scripts;
    const script = scripts?.['test'];
    return typeof script === 'string' ? script : undefined;
  } catch (error) {
    throw new NotStarted(
      `${file} cannot be read: ${(error as Error).message}. Pass the command that runs the tests: --test '<command>'.`,
    );
  }
}
