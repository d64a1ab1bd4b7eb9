import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agents/settings.ts';
import { putAnswer } from '../../src/agents/records.ts';
import { questionKey, replyId } from '../../src/agents/question.ts';
import { runAgent } from '../../src/agents/run-agent.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { initRoom, openRoom, type Agent, type Message, type Room } from '../../src/index.ts';
import { actorLayout } from '../../src/message/layout.ts';
import { contextOf } from '../../src/room/room.ts';
import { systemError } from '../faults/faulty-files.ts';

let base: string;
/** Throws for the file-system calls that are to fail. */
let fault: (name: string, at: string) => void;
let room: Room;
let alice: Agent;
beforeEach(async () => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-serving-'));
  fault = () => {};
  const { directory } = await initRoom({ cwd: base });
  const files: FileSystem = {
    ...nodeHost.files,
    rename: (from, to) => {
      fault('rename', to);
      nodeHost.files.rename(from, to);
    },
    unlink: (at) => {
      fault('unlink', at);
      nodeHost.files.unlink(at);
    },
  };
  const clock = { ...nodeHost.clock, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) };
  const host = { ...nodeHost, files, clock };
  room = await openRoom({ directory, host, durability: 'process', nudge: () => {} });
  alice = await room.join('alice');
  await room.join('bob');
});
afterEach(async () => {
  await room.close();
  fs.rmSync(base, { recursive: true });
});

/** A question to bob with a stored answer, so that no command runs for it. */
async function ask(content: string): Promise<Message> {
  const { message } = await alice.send({ to: 'bob', type: 'QUESTION', content });
  const { questions } = actorLayout(contextOf(room).layout, 'bob').agent;
  const answer = { id: replyId('bob', message, Date.now()), type: 'INFO', content: 'yes', isFailure: false };
  const directory = `${questions}/${questionKey('bob', message)}`;
  fs.mkdirSync(directory, { recursive: true });
  await putAnswer(nodeHost, directory, answer);
  return message;
}

async function serve(answersMax: number): Promise<{ answers: number; told: string[] }> {
  const told: string[] = [];
  const tell = ({ kind, message }: AgentEvent): void => void told.push(`${message.content}: ${kind}`);
  const answers = await runAgent(room, {
    address: 'bob',
    command: { kind: 'shell', line: 'false', stdin: 'content' },
    cwd: base,
    types: new Set(),
    timeoutMs: 1000,
    outputBytesMax: 1000,
    triesMax: 1,
    backoffMs: 1,
    takeOver: true,
    signal: new AbortController().signal,
    answersMax,
    tell,
  });
  return { answers, told };
}

it('counts a question as answered even if its records cannot be removed', async () => {
  await ask('one');
  await ask('two');
  fault = (name, at) => {
    if (name === 'unlink' && at.includes('/questions/')) throw systemError('EIO', { name, path: at });
  };
  expect(await serve(1)).toEqual({ answers: 1, told: ['one: answered', 'one: untidy'] });
  fault = () => {};
  expect(await serve(1)).toEqual({ answers: 1, told: ['two: answered'] });
  expect(alice.list().unsettled).toHaveLength(2);
});

it('answers a question once, and counts it once, however often it cannot be acknowledged', async () => {
  await ask('one');
  await ask('two');
  let failures = 0;
  fault = (name, at) => {
    if (name === 'rename' && at.includes('/done/') && failures++ < 2) throw systemError('EIO', { name, path: at });
  };
  const { answers, told } = await serve(2);
  expect(answers).toBe(2);
  expect(told.filter((one) => one.endsWith('answered')).sort()).toEqual(['one: answered', 'two: answered']);
  expect(told.filter((one) => one.endsWith('unsettled'))).toHaveLength(2);
  expect(told.filter((one) => one.endsWith('trouble'))).toEqual([]);
  expect(alice.list().unsettled).toHaveLength(2);
});

it('reports a message that another process has acknowledged as lost, not as coming back', async () => {
  const { id } = await alice.send({ to: 'bob', type: 'INFO', content: 'for your information' });
  await ask('one');
  const bob = room.agent('bob');
  fault = (name, at) => {
    if (name !== 'rename' || !at.includes('/done/') || !at.includes(id)) return;
    fault = () => {};
    void bob.acknowledge(id);
  };
  expect((await serve(1)).told).toEqual([
    'for your information: context',
    'for your information: lost',
    'one: answered',
  ]);
});
