import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { initRoom, openRoom } from '../../src/index.ts';
import { until } from '../processes/child.ts';

/** A room in which alice has asked bob something, and nobody answers yet. */
export interface KilledRoom {
  readonly directory: string;
  readonly questionId: string;
  /** What bob's agent runs: it counts its runs and takes a moment. */
  readonly line: string;
  runs(): number;
  /** The state of the question, by its files. */
  stage(): string;
  /** Ends every process that the question's jobs have left. */
  killJobs(): number;
  /** Throws unless alice has one reply, bob has handled the question, and none of its files is left. */
  assertAnsweredOnce(): Promise<void>;
  remove(): void;
}

/** The shell command takes twice `stepS` seconds; the fake of Claude Code answers at once and hangs. */
export async function createKilledRoom({
  stepS = 0.02,
  asks = 'shell',
}: { stepS?: number; asks?: 'shell' | 'claude' } = {}): Promise<KilledRoom> {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-agent-'));
  const { directory } = await initRoom({ cwd: base, limits: { rateLimit: 1000 } });
  await using room = await openRoom({ directory, durability: 'process', nudge: () => {} });
  const alice = await room.join('alice');
  await room.join('bob');
  const { id: questionId } = await alice.send({
    to: 'bob',
    type: 'QUESTION',
    content: asks === 'shell' ? 'how are you' : 'fine, then hang',
  });
  // A process that has ended, so that the next agent does not have to take bob's address over.
  const card = path.join(directory, 'actors/bob/card.json');
  fs.writeFileSync(card, fs.readFileSync(card, 'utf8').replace(/"pid": \d+/, '"pid": 4194303'));
  const bob = path.join(directory, 'actors/bob');
  fs.symlinkSync(path.join(import.meta.dirname, '../../fixtures/agents/fake-claude.mjs'), path.join(base, 'claude'));
  const counter = path.join(base, 'runs');
  const list = (name: string): string[] => (fs.existsSync(name) ? fs.readdirSync(name) : []);
  const sessions = path.join(base, '.fake/claude');
  // The fake keeps every prompt that it was asked; each ends with a NUL.
  const lines = (): number =>
    asks === 'shell'
      ? occurrences(counter, '\n')
      : list(sessions).reduce((sum, name) => sum + occurrences(path.join(sessions, name), '\0'), 0);
  const mailOf = (address: string): string[] =>
    ['new', 'cur'].flatMap((name) => list(path.join(directory, 'actors', address, 'mailbox', name)));
  return {
    directory,
    questionId,
    line:
      asks === 'claude'
        ? `claude in ${base}`
        : `echo run >> '${counter}'; sleep ${stepS}; echo fine; sleep ${stepS}; echo thanks`,
    runs: lines,
    stage: () => {
      const records = list(path.join(bob, 'agent/questions')).flatMap((key) =>
        list(path.join(bob, 'agent/questions', key)),
      );
      const job = list(path.join(bob, 'jobs')).flatMap((key) => list(path.join(bob, 'jobs', key)));
      if (mailOf('bob').length === 0) return 'acknowledged';
      if (mailOf('alice').length > 0) return 'sent';
      if (records.includes('answer.json')) return 'stored';
      if (job.some((name) => name.endsWith('.exit.json'))) return 'answered, not stored';
      if (lines() > 0) return 'running';
      return records.length > 0 ? 'to be run' : 'claimed or before';
    },
    killJobs: () => {
      const pids = pidsOf(questionId);
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended by itself meanwhile.
        }
      }
      return pids.length;
    },
    assertAnsweredOnce: async () => {
      await using opened = await openRoom({ directory });
      const replies = opened
        .agent('alice')
        .list()
        .unsettled.map(({ message }) => message);
      if (replies.length !== 1) throw new Error(`alice has ${replies.length} replies`);
      const { content, replyTo, from, threadId } = replies[0] ?? {};
      const said = JSON.stringify({ content, replyTo, from, threadId });
      const expected = JSON.stringify({
        content: asks === 'shell' ? 'fine\nthanks' : 'turn 1: fine, then hang',
        replyTo: questionId,
        from: 'bob',
        threadId: questionId,
      });
      if (said !== expected) throw new Error(`the reply is ${said}`);
      const { state } = opened.status(questionId)[0] ?? {};
      if (state !== 'acknowledged') throw new Error(`the question is ${state}`);
      const left = [...list(path.join(bob, 'jobs')), ...list(path.join(bob, 'agent/questions'))];
      if (left.length > 0) throw new Error(`left are ${left.join(', ')}`);
      await until('no process of the command is left', () => pidsOf(questionId).length === 0);
    },
    remove: () => fs.rmSync(base, { recursive: true, force: true }),
  };
}

function occurrences(file: string, text: string): number {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split(text).length - 1 : 0;
}

/** Live processes that were started for a job of the question. */
function pidsOf(questionId: string): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter(
      (pid) =>
        read(pid, 'environ').includes(`MAILROOM_EFFECT_ID=${questionId}.`) && !/\) [ZX] /.test(read(pid, 'stat')),
    )
    .map(Number);
}

function read(pid: string, name: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}
