import { afterEach, expect, test } from 'vitest';
import { createCliRoom } from '../cli/cli-room.ts';
import { commandsIn, killStarted, nextMail, paste, startWorkflow } from './real-workflow.ts';

afterEach(killStarted);

test('agents decide from their shells with the pasted commands, and a kill in between loses no vote', async () => {
  using room = await createCliRoom({ agents: ['alice', 'bob', 'eve'] });
  const first = startWorkflow(room, 'consensus.js', {
    question: 'Which database?',
    options: [{ id: 'postgres' }, { id: 'sqlite', isSafer: true }],
    electorate: ['alice', 'bob', 'nobody'],
    algorithm: 'simple-majority',
  });
  const question = await nextMail(room, 'alice');
  expect(question).toMatchObject({ type: 'QUESTION', to: ['all'] });
  const [postgres = '', , abstain = ''] = commandsIn(question);
  await paste(room, 'alice', postgres);
  // The template is no vote before it is filled in.
  const template = question.content.split('\n').find((line) => line.startsWith('mailroom ')) ?? '';
  await paste(room, 'bob', template);
  // The question, the summons, and the reply to the unfilled template.
  const toBob = [await nextMail(room, 'bob'), await nextMail(room, 'bob'), await nextMail(room, 'bob')];
  expect(toBob.map(({ type, content }) => [type, content.split('\n')[0]?.slice(0, 24)])).toEqual([
    ['QUESTION', 'Which database?'],
    ['INFO', 'You are one of 3 voters:'],
    ['INFO', 'Your vote is not counted'],
  ]);
  await paste(room, 'eve', abstain);
  await nextMail(room, 'eve');
  expect((await nextMail(room, 'eve')).content).toContain('Your vote does not count.');

  first.child.kill('SIGKILL');
  expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
  await paste(room, 'bob', commandsIn(toBob[2] ?? { content: '' })[1] ?? '');

  const { code, stdout } = await startWorkflow(room, 'consensus.js').ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    outcome: 'decided',
    option: 'sqlite',
    tied: ['postgres', 'sqlite'],
    tieBreak: 'safer',
    votes: [
      { voter: 'alice', option: 'postgres' },
      { voter: 'bob', option: 'sqlite' },
    ],
    missing: ['nobody'],
    undelivered: [{ to: 'nobody', type: 'INFO', code: 'ACTOR_NOT_FOUND' }],
  });
  expect((await nextMail(room, 'eve')).content).toMatch(/^Decided: sqlite \(a tie of postgres, sqlite, by safer\)\n/);
});

test('a consensus that nobody answers ends at its deadline, and an invalid one says what is wrong', async () => {
  using room = await createCliRoom();
  const input = { question: 'Which?', options: [{ id: 'a' }, { id: 'b' }], electorate: ['alice'], seconds: 1 };
  const { code, stdout } = await startWorkflow(room, 'consensus.js', input).ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'no-votes', votes: [], missing: ['alice'] });

  using other = await createCliRoom();
  const wrong = await startWorkflow(other, 'consensus.js', { ...input, electorate: undefined }).ended;
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toContain('Invalid consensus: input.electorate');
});
