import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { AGENTS_NOTE, planNotes, writeNotes } from '../../src/cli/instruction-files.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import type { Host } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { createCliRoom, type Ran } from './cli-room.ts';

const marked = (lines: readonly string[]): string =>
  ['<!-- mailroom:begin v1 -->', ...lines, '<!-- mailroom:end -->', ''].join('\n');
const BLOCK = marked(AGENTS_NOTE);
const IMPORT = marked(['@AGENTS.md']);

/** A project beside that of a room, in which there is no room yet. */
interface Project extends Disposable {
  readonly directory: string;
  /** Bytes as characters. */
  read(name: string): string;
  write(name: string, text: string): void;
  files(): string[];
  init(...more: readonly string[]): Promise<Ran>;
}

async function createProject(): Promise<Project> {
  const room = await createCliRoom();
  const directory = path.join(room.directory, '../own');
  fs.mkdirSync(directory);
  return {
    directory,
    read: (name) => fs.readFileSync(path.join(directory, name), 'latin1'),
    write: (name, text) => fs.writeFileSync(path.join(directory, name), text, 'latin1'),
    files: () => fs.readdirSync(directory).sort(),
    init: (...more) => room.run(['init', '--agents-md', ...more], { cwd: directory }),
    [Symbol.dispose]: () => room[Symbol.dispose](),
  };
}

describe('init --agents-md', () => {
  it('writes a block into AGENTS.md, and again changes nothing', async () => {
    using project = await createProject();
    expect(await project.init()).toMatchObject({ code: 0, stdout: `${project.directory}/.mailroom\n` });
    expect(project.read('AGENTS.md')).toBe(BLOCK);
    expect(project.files()).toEqual(['.mailroom', 'AGENTS.md']);
    const before = fs.statSync(path.join(project.directory, 'AGENTS.md'));
    const again = await project.init('--json');
    expect(JSON.parse(again.stdout)).toEqual({
      directory: `${project.directory}/.mailroom`,
      created: false,
      notes: [{ path: `${project.directory}/AGENTS.md`, change: 'unchanged' }],
    });
    expect(fs.statSync(path.join(project.directory, 'AGENTS.md'))).toMatchObject({
      ino: before.ino,
      mtimeMs: before.mtimeMs,
    });
    expect(fs.readdirSync(path.join(project.directory, '.mailroom/tmp'))).toEqual([]);
  });

  it('keeps every other byte, the mode, and how lines are broken; an older block is replaced', async () => {
    using project = await createProject();
    const [before, behind] = ['\xef\xbb\xbf# Mine\r\n\xff\xfe caf\xe9\r\n', '\r\n## More\r\nno end'];
    const old = '<!-- mailroom:begin v1 -->\r\nwhat an older one said\r\n<!-- mailroom:end -->\r\n';
    project.write('AGENTS.md', before + old + behind);
    fs.chmodSync(path.join(project.directory, 'AGENTS.md'), 0o664);
    expect((await project.init()).stderr).toContain('AGENTS.md: has the block of Mailroom; nothing else was changed.');
    expect(project.read('AGENTS.md')).toBe(before + BLOCK.replaceAll('\n', '\r\n') + behind);
    expect(fs.statSync(path.join(project.directory, 'AGENTS.md')).mode & 0o777).toBe(0o664);
  });

  it.each([
    ['# Claude\n', `# Claude\n\n${IMPORT}`],
    ['`as @AGENTS.md is`\n', `\`as @AGENTS.md is\`\n\n${IMPORT}`],
    ['<!-- @AGENTS.md -->\n', `<!-- @AGENTS.md -->\n\n${IMPORT}`],
    ['```\n@AGENTS.md\n```\n', `\`\`\`\n@AGENTS.md\n\`\`\`\n\n${IMPORT}`],
    ['@docs/AGENTS.md me@AGENTS.md\n', `@docs/AGENTS.md me@AGENTS.md\n\n${IMPORT}`],
    ['@AGENTS.md\n', '@AGENTS.md\n'],
    ['# x\r\n\r\nRead @./AGENTS.md.\r\n', '# x\r\n\r\nRead @./AGENTS.md.\r\n'],
  ])('has CLAUDE.md and GEMINI.md import it, unless they do: %j', async (text, expected) => {
    using project = await createProject();
    for (const name of ['CLAUDE.md', 'GEMINI.md']) project.write(name, text);
    for (const code of [0, 0]) {
      expect((await project.init()).code).toBe(code);
      expect([project.read('CLAUDE.md'), project.read('GEMINI.md')]).toEqual([expected, expected]);
    }
  });

  it('follows links within the project, and leaves alone what lies out of it', async () => {
    using project = await createProject();
    const link = (target: string, name: string): void => fs.symlinkSync(target, path.join(project.directory, name));
    project.write('CLAUDE.md', '# Claude\n');
    link('CLAUDE.md', 'AGENTS.md');
    project.write('../outside.md', '# Of all projects\n');
    link('../outside.md', 'GEMINI.md');
    const ran = await project.init('--json');
    expect(JSON.parse(ran.stdout).notes).toEqual([
      { path: `${project.directory}/AGENTS.md`, change: 'updated' },
      { path: `${project.directory}/GEMINI.md`, change: 'left alone' },
    ]);
    expect(project.read('CLAUDE.md')).toBe(`# Claude\n\n${BLOCK}`);
    expect(fs.readlinkSync(path.join(project.directory, 'AGENTS.md'))).toBe('CLAUDE.md');
    expect(project.read('../outside.md')).toBe('# Of all projects\n');
  });

  it('writes beside the room that is named, also one that is there', async () => {
    using project = await createProject();
    const named = path.join(project.directory, 'deep/.mailroom');
    fs.mkdirSync(path.dirname(named));
    for (const more of [[], ['--agents-md']]) {
      const ran = await project.init(...(more.length > 0 ? [] : ['--json']), '--room', named);
      expect(ran.code, ran.stderr).toBe(0);
    }
    expect(project.read('deep/AGENTS.md')).toBe(BLOCK);
    expect(project.files()).toEqual(['deep']);
    const other = await project.init('--room', path.join(project.directory, 'deep/room'));
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${project.directory}/deep/room/.mailroom`),
    });
  });
});

describe('init --agents-md refuses before it makes anything', () => {
  type Make = (project: Project) => void;
  const cases: readonly [title: string, make: Make, stderr: RegExp][] = [
    [
      'markers that are not one pair, in the line that is named',
      (project) => project.write('AGENTS.md', '# x\n\n<!-- mailroom:end -->\n'),
      /AGENTS\.md was left as it is: line 3 ends a block/,
    ],
    [
      'the same in a file that would import it',
      (project) => project.write('CLAUDE.md', '<!-- mailroom:begin v1 -->\n'),
      /CLAUDE\.md was left as it is: line 1 begins a block/,
    ],
    [
      'text of two bytes a character',
      (project) => project.write('AGENTS.md', '\xff\xfeh\0i\0'),
      /it is not UTF-8 or ASCII text/,
    ],
    ['a directory', (project) => fs.mkdirSync(path.join(project.directory, 'AGENTS.md')), /not a regular file/],
    [
      'a file that is to stay as it is',
      (project) => {
        project.write('AGENTS.md', 'x\n');
        fs.chmodSync(path.join(project.directory, 'AGENTS.md'), 0o444);
      },
      /it is read-only/,
    ],
    ['a large file', (project) => project.write('AGENTS.md', 'x'.repeat(1024 * 1024 + 1)), /the limit is 1048576/],
    [
      'a link to nowhere',
      (project) => fs.symlinkSync('missing.md', path.join(project.directory, 'AGENTS.md')),
      /a link that leads out of the project, or nowhere/,
    ],
    [
      'a link out of the project',
      (project) => {
        project.write('../outside.md', 'x\n');
        fs.symlinkSync('../outside.md', path.join(project.directory, 'AGENTS.md'));
      },
      /a link that leads out of the project, or nowhere/,
    ],
  ];
  it.each(cases)('%s', async (_title, make, stderr) => {
    using project = await createProject();
    make(project);
    const files = project.files();
    const ran = await project.init();
    expect(ran).toMatchObject({ code: 6, stdout: '' });
    expect(ran.stderr).toMatch(stderr);
    expect(ran.stderr).toMatch(/\n {2}\S/);
    expect(project.files()).toEqual(files);
  });
});

describe('a file is written at one instant', () => {
  const hostWith = (more: Partial<FileSystem>): Host => ({ ...nodeHost, files: { ...nodeHost.files, ...more } });
  const failed = (code: string): never => {
    throw Object.assign(new Error(`${code}: made by the test`), { code });
  };
  const project = (): Disposable & { readonly path: string } => {
    const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-notes-')));
    fs.mkdirSync(path.join(directory, '.mailroom/tmp'), { recursive: true });
    return { path: directory, [Symbol.dispose]: () => fs.rmSync(directory, { recursive: true }) };
  };

  it('also where the room lies on another file system', async () => {
    using own = project();
    const host = hostWith({
      rename: (from, to) => (from.includes('.mailroom/') ? failed('EXDEV') : nodeHost.files.rename(from, to)),
    });
    const room = path.join(own.path, '.mailroom');
    await writeNotes(host, room, planNotes(host, room));
    expect(fs.readFileSync(path.join(own.path, 'AGENTS.md'), 'utf8')).toBe(BLOCK);
    expect(fs.readdirSync(own.path).sort()).toEqual(['.mailroom', 'AGENTS.md']);
  });

  it('or not at all when somebody has changed or made the file meanwhile', async () => {
    using own = project();
    const room = path.join(own.path, '.mailroom');
    const file = path.join(own.path, 'AGENTS.md');
    for (const before of ['mine\n', undefined]) {
      fs.rmSync(file, { force: true });
      if (before !== undefined) fs.writeFileSync(file, before);
      const edits = planNotes(nodeHost, room);
      fs.writeFileSync(file, 'mine, and more\n');
      await expect(writeNotes(nodeHost, room, edits)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(fs.readFileSync(file, 'utf8')).toBe('mine, and more\n');
    }
  });

  it('or not at all, and the error says that the room is there', async () => {
    using own = project();
    const host = hostWith({ rename: () => failed('EACCES') });
    const room = path.join(own.path, '.mailroom');
    fs.writeFileSync(path.join(own.path, 'AGENTS.md'), 'mine\n');
    await expect(writeNotes(host, room, planNotes(host, room))).rejects.toMatchObject({
      hint: `The room exists; ${own.path}/AGENTS.md was not written. Make it and its directory writable, then repeat the command.`,
    });
    expect(fs.readFileSync(path.join(own.path, 'AGENTS.md'), 'utf8')).toBe('mine\n');
    expect(fs.readdirSync(path.join(own.path, '.mailroom/tmp'))).toEqual([]);
  });
});
