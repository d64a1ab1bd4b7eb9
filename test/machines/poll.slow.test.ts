import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openRoom, type Message } from '../../src/index.ts';
import { machine } from '../../machines/poll.ts';
import { explore } from '../../src/testing/explore/explore.ts';
import { formatExploration } from '../../src/testing/explore/report.ts';
import { createCliRoom, type CliRoom } from '../cli/cli-room.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const POLL = path.join(ROOT, 'dist', 'machines', 'poll.js');
/** What the built one is made from. */
const SOURCE = path.join(ROOT, 'machines', 'poll.ts');
const COMMAND = path.join(ROOT, 'dist', 'cli', 'mailroom.cjs');
/** Text that a shell would expand. */
const ODD = `don't say "$HOME"`;
const QUESTION = { question: 'Which database?', options: [ODD, 'sqlite'] };

/** Only a hang ends by this. */
const MAIL_MS_MAX = 60_000;

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

interface Poll {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

function startPoll(
  { directory, env }: CliRoom,
  input?: object,
  program: readonly string[] = [COMMAND, 'run', POLL],
): Poll {
  const words = [...program, ...(input ? ['--input', JSON.stringify(input)] : [])];
  const child = spawn(process.execPath, words, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  const read = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (read.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (read.stderr += text));
  const ended = new Promise<Awaited<Poll['ended']>>((resolve) => {
    child.on('close', (code, signal) => {
      started.delete(child);
      resolve({ code, signal, ...read });
    });
  });
  return { child, ended };
}

/** The next message for an agent, acknowledged. */
async function next({ room }: { room: string }, as: string): Promise<Message> {
  await using opened = await openRoom({ directory: room });
  for await (const mail of opened.agent(as).inbox({ signal: AbortSignal.timeout(MAIL_MS_MAX) })) {
    await mail.ack();
    return mail.message;
  }
  throw new Error(`${as} got no mail`);
}

async function says(
  { room }: { room: string },
  as: string,
  { type, content }: { type: string; content: string },
): Promise<void> {
  await using opened = await openRoom({ directory: room });
  await opened.agent(as).send({ to: 'poll', type, content });
}

/** The commands in a message as a person would copy them, one per line. */
function commandsIn({ content }: Message): string[] {
  return content.split('\n').filter((line) => /^ +mailroom /.test(line));
}

async function paste(room: CliRoom, as: string, line: string): Promise<void> {
  const pasted = await room.shell(`exec bash -c "$(cat)"`, { as, stdin: line });
  expect(pasted).toMatchObject({ code: 0, stderr: '' });
}

test('a killed poll resumes: the pasted commands vote, and each vote is counted once', async () => {
  using room = await createCliRoom({ agents: ['alice', 'bob', 'carol'] });
  const first = startPoll(room, { ...QUESTION, voters: ['alice', 'bob', 'carol'], quorum: 2 });
  const question = await next(room, 'alice');
  expect(question.type).toBe('QUESTION');
  const [voteOdd = '', voteSqlite = '', ...none] = commandsIn(question);
  expect(none).toEqual([]);
  await paste(room, 'alice', voteSqlite);

  first.child.kill('SIGKILL');
  expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });

  await paste(room, 'bob', voteOdd);
  const { id } = await next(room, 'carol');
  expect(await room.run(['reply', id, 'VOTE', 'SQLite because one file is enough'], { as: 'carol' })).toMatchObject({
    code: 0,
  });

  const { code, stdout } = await startPoll(room).ended;
  expect(code).toBe(0);
  const output = JSON.parse(stdout) as { votes: { messageId: string; voter: string; option: string }[] };
  expect(output).toMatchObject({ question: 'Which database?', outcome: 'decided', option: 'sqlite', missing: [] });
  expect(output.votes.map(({ voter, option }) => [voter, option])).toEqual([
    ['alice', 'sqlite'],
    ['bob', ODD],
    ['carol', 'sqlite'],
  ]);
  const story = (await room.run(['why', 'poll', '--json'])).stdout.trim().split('\n');
  const taken = story
    .map((line) => JSON.parse(line) as { verdict: string; mail?: { id: string } })
    .filter(({ mail }) => mail);
  expect(taken.map(({ verdict }) => verdict)).toEqual(['taken', 'taken', 'taken']);
  expect(taken.map(({ mail }) => mail?.id ?? '').toSorted()).toEqual(
    output.votes.map(({ messageId }) => messageId).toSorted(),
  );

  // The result is broadcast once, with the counted ids; running it again prints it and sends nothing.
  const { content } = await next(room, 'alice');
  expect(content).toMatch(/^Decided: sqlite\n/);
  for (const { messageId } of output.votes) expect(content).toContain(messageId.slice(-8));
  expect(await startPoll(room).ended).toMatchObject({ code: 0, stdout });
  expect(await room.json(['inbox'], { as: 'alice' })).toEqual([]);
});

test('an invalid vote gets a reply, a changed one is confirmed, and the poll does not wait for unknown voters', async () => {
  using room = await createCliRoom({ agents: ['alice', 'bob', 'carol'] });
  const poll = startPoll(room, { ...QUESTION, voters: ['alice', 'carol', 'nobody'] });
  // The absent voter does not keep the question from the others.
  await next(room, 'alice');
  await says(room, 'alice', { type: 'VOTE', content: 'mysql' });
  const corrected = await next(room, 'alice');
  expect(corrected.content).toContain('"mysql" is none of the options of: Which database?');
  await says(room, 'bob', { type: 'VOTE', content: 'sqlite' });
  expect((await next(room, 'bob')).content).toContain('Your vote does not count.');

  await paste(room, 'alice', commandsIn(corrected)[0] ?? '');
  await says(room, 'alice', { type: 'INFO', content: 'let me think' });
  await says(room, 'alice', { type: 'INFO', content: 'sqlite' });
  expect((await next(room, 'alice')).content).toBe('You have voted before; your vote is: sqlite');

  await says(room, 'carol', { type: 'VOTE', content: ODD });
  const { code, stdout } = await poll.ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'tie', tied: [ODD, 'sqlite'], unreachable: ['nobody'] });
});

test('a poll of everybody, run as a program, ends at its deadline', async () => {
  using room = await createCliRoom();
  const program = ['--import', import.meta.resolve('tsx'), SOURCE];
  const { code, stdout } = await startPoll(room, { ...QUESTION, minutes: 0.02 }, program).ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    outcome: 'no-quorum',
    quorum: 1,
    votes: [],
    missing: [],
    unreachable: [],
  });
  expect((await next(room, 'bob')).content).toContain('The poll ends 1.2 s after this message.');
  expect((await next(room, 'bob')).content).toMatch(/^No decision: 0 of the 1 votes/);
});

test('a poll that nobody can answer ends at once, and an invalid one says what is wrong', async () => {
  using room = await createCliRoom({ agents: [] });
  const alone = await startPoll(room, QUESTION).ended;
  expect(JSON.parse(alone.stdout)).toMatchObject({ outcome: 'no-quorum', unreachable: ['all'] });
  const wrong = await startPoll(room, { question: 'Which?', options: ['a'] }, [COMMAND, 'run', POLL, '--as', 'wrong'])
    .ended;
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toContain('Invalid poll: input.options');
});

test('a poll closes with one vote per voter for every order of votes and the deadline', () => {
  const voted = (option: string): { to: string; type: string; content: string } => ({
    to: 'poll',
    type: 'VOTE',
    content: option,
  });
  const explored = explore({
    workflows: { poll: { machine, input: { question: 'Which?', options: ['a', 'b'], voters: ['alice', 'bob'] } } },
    agents: { alice: { sends: [voted('a'), voted('b')] }, bob: { sends: [voted('a'), voted('c')] } },
    invariant: ({ workflows: { poll } }) => {
      const { votes = [] } = (poll?.context ?? {}) as { votes?: { voter: string }[] };
      const voters = votes.map(({ voter }) => voter);
      return new Set(voters).size === voters.length ? undefined : `a voter counts twice: ${voters.join(', ')}`;
    },
    summarize: ({ workflows: { poll } }) =>
      `${poll?.status}: ${(poll?.output as { outcome?: string } | undefined)?.outcome}`,
  });
  console.log(`${explored.states} states of a poll looked at`);
  expect(explored.isComplete).toBe(true);
  expect(explored.ends.map(({ summary }) => summary).sort(), formatExploration(explored)).toEqual([
    'done: decided',
    'done: no-quorum',
    'done: tie',
  ]);
  expect([...explored.violations, ...explored.failedSteps, ...explored.endless]).toEqual([]);
});
