import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TmuxPane } from '../../src/index.ts';
import { until } from '../hostile/until.ts';
import { openNudgeRoom } from './nudge-room.ts';
import { openRecorder, skipWithoutTmux, startTmux, type TmuxServer } from './tmux-server.ts';

/** Root cause: typed lines answered permission dialogs, ran as commands and submitted what a person had half typed. */
async function nudge(tmux: TmuxServer, pane: TmuxPane): Promise<void> {
  await using nudging = await openNudgeRoom(pane);
  await nudging.sendAndSettle();
  expect(nudging.nudges()).toMatchObject([{ outcome: 'nudged', detail: expect.stringContaining('rang the bell') }]);
  await until('the window has the bell flag', () => tmux.isBellFlagged(pane));
  expect(tmux.unread(pane)).toBe('1');
}

/** A person at the keyboard of a pane. */
function typeInto(tmux: TmuxServer, { pane }: TmuxPane, text: string, ...keys: readonly string[]): void {
  tmux.run('send-keys', '-t', pane, '-l', '--', text);
  for (const key of keys) tmux.run('send-keys', '-t', pane, key);
}

function shows(tmux: TmuxServer, { pane }: TmuxPane, text: string): boolean {
  return tmux.run('capture-pane', '-p', '-t', pane).includes(text);
}

interface Recording {
  readonly pane: TmuxPane;
  readonly recorded: () => string;
}

/** What is typed last arrives last, so nothing was typed before it. */
async function expectNothingTyped(tmux: TmuxServer, { pane, recorded }: Recording): Promise<void> {
  typeInto(tmux, pane, 'END');
  await until('the pane has what was typed last', () => recorded().endsWith('END'));
  expect(recorded()).toBe('END');
}

describe.skipIf(skipWithoutTmux)('a nudge reaches the input of no program', () => {
  test('that reads every key', async () => {
    await using tmux = await startTmux();
    const recorder = await openRecorder(tmux);
    await nudge(tmux, recorder.pane);
    await expectNothingTyped(tmux, recorder);
  });

  test('in any of several synchronised panes', async () => {
    await using tmux = await startTmux();
    const first = await openRecorder(tmux);
    const second = await openRecorder(tmux);
    tmux.run('join-pane', '-d', '-s', second.pane.pane, '-t', first.pane.pane);
    tmux.run('set-option', '-w', '-t', first.pane.pane, 'synchronize-panes', 'on');
    await nudge(tmux, first.pane);
    tmux.run('set-option', '-w', '-t', first.pane.pane, 'synchronize-panes', 'off');
    await expectNothingTyped(tmux, first);
    await expectNothingTyped(tmux, second);
  });

  test('whose pane takes no input, and that pane is nudged anyway', async () => {
    await using tmux = await startTmux();
    const recorder = await openRecorder(tmux);
    tmux.run('select-pane', '-d', '-t', recorder.pane.pane);
    await nudge(tmux, recorder.pane);
    tmux.run('select-pane', '-e', '-t', recorder.pane.pane);
    await expectNothingTyped(tmux, recorder);
  });

  test.each(['vi', 'emacs'])('whose pane shows its history with %s keys, which are commands there', async (keys) => {
    await using tmux = await startTmux();
    const recorder = await openRecorder(tmux);
    tmux.run('set-option', '-g', 'mode-keys', keys);
    tmux.run('copy-mode', '-t', recorder.pane.pane);
    await nudge(tmux, recorder.pane);
    expect(tmux.run('list-buffers')).toBe('');
    expect(tmux.run('display-message', '-p', '-t', recorder.pane.pane, '#{pane_in_mode}')).toBe('1');
    tmux.run('send-keys', '-t', recorder.pane.pane, '-X', 'cancel');
    await expectNothingTyped(tmux, recorder);
  });

  test('that asks for permission and takes one key for the answer', async () => {
    await using tmux = await startTmux();
    const answer = path.join(tmux.directory, 'answer');
    const pane = await tmux.open(`bash -c 'printf "Allow? "; IFS= read -rsN1 key; printf %s "$key" > ${answer}; cat'`);
    await until('it asks', () => shows(tmux, pane, 'Allow?'));
    await nudge(tmux, pane);
    typeInto(tmux, pane, 'n');
    await until('it has an answer', () => fs.existsSync(answer) && fs.readFileSync(answer, 'utf8') !== '');
    expect(fs.readFileSync(answer, 'utf8')).toBe('n');
  });

  test('that asks for a line, and a half-typed line stays half typed', async () => {
    await using tmux = await startTmux();
    const answer = path.join(tmux.directory, 'answer');
    const pane = await tmux.open(`printf "Name? "; read -r line; printf %s "$line" > ${answer}; cat`);
    await until('it asks', () => shows(tmux, pane, 'Name?'));
    typeInto(tmux, pane, 'An');
    await nudge(tmux, pane);
    expect(fs.existsSync(answer)).toBe(false);
    typeInto(tmux, pane, 'na', 'Enter');
    await until('it has an answer', () => fs.existsSync(answer) && fs.readFileSync(answer, 'utf8') !== '');
    expect(fs.readFileSync(answer, 'utf8')).toBe('Anna');
  });

  test('such as a shell with a half-typed command', async () => {
    await using tmux = await startTmux();
    const work = path.join(tmux.directory, 'work');
    fs.mkdirSync(work);
    const pane = await tmux.open(`cd ${work} && PS1='ready> ' exec bash --norc --noprofile -i`);
    await until('the shell is ready', () => shows(tmux, pane, 'ready>'));
    typeInto(tmux, pane, 'touch half');
    await nudge(tmux, pane);
    expect(fs.readdirSync(work)).toEqual([]);
    typeInto(tmux, pane, '-and-half', 'Enter');
    await until('the command has run', () => fs.readdirSync(work).length > 0);
    expect(fs.readdirSync(work)).toEqual(['half-and-half']);
  });

  test.skipIf(spawnSync('sh', ['-c', 'vi --version']).status !== 0)('such as an editor', async () => {
    await using tmux = await startTmux();
    const file = path.join(tmux.directory, 'text');
    const pane = await tmux.open(`exec vi -u NONE -i NONE -n ${file}`);
    await until('the editor shows its file', () => shows(tmux, pane, '~'));
    typeInto(tmux, pane, 'ihalf');
    await until('the editor has the text', () => shows(tmux, pane, 'half'));
    await nudge(tmux, pane);
    typeInto(tmux, pane, ' and half', 'Escape', ':', 'w', 'Enter');
    await until('the file is written', () => fs.existsSync(file) && fs.readFileSync(file, 'utf8') !== '');
    expect(fs.readFileSync(file, 'utf8')).toBe('half and half\n');
  });
});
