import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, linkCommands, type Installed } from './installed-package.ts';

let installed: Installed;
beforeAll(() => {
  installed = installPackage();
  const { code, stderr } = installed.shell('mailroom init');
  if (code !== 0) throw new Error(`mailroom init ended with ${code}: ${stderr}`);
});
afterAll(() => installed[Symbol.dispose]());

const CONFIG = "{ id: 'm', initial: 'over', states: { over: { type: 'final' } }, output: 'done' }";
const MODULE = `import { setup } from 'xstate';
import { z } from 'zod';
import { accepts } from 'agent-mailroom/workflow';
const mail = accepts({ GO: z.unknown() });
export const machine = setup({ schemas: mail }).createMachine(${CONFIG});
`;
const COMMON = `const { setup } = require('xstate');
const { z } = require('zod');
const { accepts } = require('agent-mailroom/workflow');
exports.machine = setup({ schemas: accepts({ GO: z.unknown() }) }).createMachine(${CONFIG});
`;

function write(file: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(installed.empty, file)), { recursive: true });
  fs.writeFileSync(path.join(installed.empty, file), text);
}

describe('a machine where nothing is installed', () => {
  it.each([
    ['mjs', MODULE],
    ['cjs', COMMON],
  ])('finds what it needs in the program that runs it: .%s', (kind, text) => {
    write(`alone.${kind}`, text);
    expect(installed.shell(`mailroom run alone.${kind} --as alone.${kind}`)).toMatchObject({
      code: 0,
      stdout: '"done"\n',
    });
    expect(installed.shell(`mailroom graph alone.${kind}`)).toMatchObject({ code: 0, stderr: '' });
  });

  it('finds first what is installed nearer, and is told what nobody has', () => {
    const nearer = { name: 'zod', version: '0.0.0', type: 'module', exports: './index.js' };
    write('project/node_modules/zod/package.json', JSON.stringify(nearer));
    write('project/node_modules/zod/index.js', "export const z = console.error('this is the nearer one');\n");
    write('project/ship.mjs', MODULE);
    expect(installed.shell('mailroom run project/ship.mjs').stderr).toContain('this is the nearer one');
    write('lacking.mjs', `import 'nobody-has-this';\n${MODULE}`);
    expect(installed.shell('mailroom run lacking.mjs').stderr).toContain('npm install nobody-has-this\n');
  });
});

describe('a command that is printed', () => {
  /** The last line of the hint that somebody gets who says not who they are. */
  const hint = (line: string, options: Parameters<Installed['shell']>[1]): string =>
    installed.shell(line, options).stderr.trim().split('\n').at(-1)?.trim() ?? '';

  it('is `mailroom` where that is this very program, under whichever name it was started', () => {
    installed.shell('mailroom join alice');
    for (const name of ['mailroom', 'agent-mailroom', path.join(installed.bin, 'mailroom')])
      expect(hint(`${name} inbox`, {})).toBe('mailroom --as alice inbox');
    expect(installed.shell('mailroom help').stdout).not.toContain('does not find it');
  });

  it('runs this very program where the shell finds none, or another one, and can be pasted there', () => {
    const command = path.join(installed.directory, 'dist', 'cli', 'mailroom.cjs');
    const stranger = path.join(installed.empty, 'stranger');
    write('stranger/mailroom', '#!/bin/sh\necho stranger\n');
    fs.chmodSync(path.join(stranger, 'mailroom'), 0o755);
    for (const first of [[], [stranger], [stranger, installed.bin]]) {
      const here = { path: first };
      const said = hint(`node ${command} inbox`, here);
      expect(said).toBe(`node ${command} --as alice inbox`);
      expect(installed.shell(said, here)).toMatchObject({ code: 0, stderr: 'No mail for alice.\n' });
      expect(installed.shell(`node ${command} help`, here).stdout).toContain(`Call it by: node ${command} help\n`);
    }
  });

  it('runs it also behind npx, which puts it on the PATH of nobody else', () => {
    const modules = path.join(installed.empty, 'node_modules');
    linkCommands(installed.directory, path.join(modules, '.bin'));
    fs.writeFileSync(path.join(installed.empty, 'package.json'), '{"name":"project","private":true}');
    try {
      const offline = { path: [], env: { npm_config_offline: 'true', npm_config_update_notifier: 'false' } };
      const said = hint('npx --no-install agent-mailroom inbox', offline);
      expect(said).toMatch(/^node \S+mailroom\.cjs --as alice inbox$/);
      expect(installed.shell(said, { path: [] }).code).toBe(0);
    } finally {
      fs.rmSync(modules, { recursive: true });
      fs.rmSync(path.join(installed.empty, 'package.json'));
    }
  });
});
