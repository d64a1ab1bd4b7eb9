import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findCommands } from '../../machines/team/find-commands.ts';

let directory: string;
beforeEach(() => void (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-find-'))));
afterEach(() => fs.rmSync(directory, { recursive: true }));

const SCRIPT = '{"scripts":{"test":"vitest run"}}';

it.each<{
  readonly name: string;
  readonly files: Record<string, string>;
  readonly setup?: string;
  readonly test?: string;
}>([
  { name: 'nothing', files: { 'README.md': '' } },
  { name: 'npm', files: { 'package.json': SCRIPT, 'package-lock.json': '{}' }, setup: 'npm ci', test: 'npm test' },
  { name: 'npm without a lock file', files: { 'package.json': SCRIPT }, test: 'npm test' },
  {
    name: 'pnpm',
    files: { 'package.json': SCRIPT, 'pnpm-lock.yaml': '' },
    setup: 'pnpm install --frozen-lockfile',
    test: 'pnpm test',
  },
  {
    name: 'yarn 1',
    files: { 'package.json': SCRIPT, 'yarn.lock': '' },
    setup: 'yarn install --frozen-lockfile',
    test: 'yarn test',
  },
  {
    name: 'yarn 4',
    files: { 'package.json': SCRIPT, 'yarn.lock': '', '.yarnrc.yml': '' },
    setup: 'yarn install --immutable',
    test: 'yarn test',
  },
  {
    name: 'bun',
    files: { 'package.json': SCRIPT, 'bun.lock': '' },
    setup: 'bun install --frozen-lockfile',
    test: 'bun run test',
  },
  {
    name: 'the test script of npm init',
    files: { 'package.json': '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}' },
  },
  {
    name: 'uv',
    files: { 'uv.lock': '', 'pyproject.toml': '[tool.pytest.ini_options]\n' },
    setup: 'uv sync --locked',
    test: 'uv run --locked pytest',
  },
  {
    name: 'poetry without pytest',
    files: { 'poetry.lock': '', 'pyproject.toml': '[project]\n' },
    setup: 'poetry install --no-interaction',
  },
  {
    name: 'pip',
    files: { 'requirements.txt': 'pytest==8\n' },
    setup: 'python3 -m venv .venv && .venv/bin/python -m pip install --quiet -r requirements.txt',
    test: '.venv/bin/python -m pytest',
  },
  { name: 'go', files: { 'go.mod': '' }, setup: 'go mod download', test: 'go test ./...' },
  { name: 'cargo', files: { 'Cargo.lock': '' }, setup: 'cargo fetch --locked', test: 'cargo test --locked' },
  { name: 'bundler', files: { 'Gemfile.lock': '' }, setup: 'bundle install' },
  {
    name: 'two languages',
    files: { 'package.json': SCRIPT, 'package-lock.json': '{}', 'go.mod': '' },
    setup: 'npm ci && go mod download',
    test: 'npm test',
  },
])('finds the commands of $name', ({ files, setup, test }) => {
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, name), text);
  expect(findCommands(directory, { needsTest: true })).toEqual({ setup, test });
});

it('refuses a package.json that is no JSON in one line, and only where it would name the tests', () => {
  fs.writeFileSync(path.join(directory, 'package.json'), '{"scripts":');
  expect(() => findCommands(directory, { needsTest: true })).toThrow(
    /package\.json cannot be read: .* --test '<command>'\.$/,
  );
  expect(findCommands(directory, { needsTest: false })).toEqual({ setup: undefined, test: undefined });
});
