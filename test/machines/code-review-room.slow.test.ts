import { afterEach, expect, test } from 'vitest';
import { createCliRoom } from '../cli/cli-room.ts';
import { commandsIn, killStarted, nextMail, paste, startWorkflow } from './real-workflow.ts';

afterEach(killStarted);

/** With a title that a shell would expand. */
const CHANGE = { title: `Don't lose "$HOME"`, author: 'alice', commit: 'abc123' };

test('a change is reviewed, revised and approved from shells with the pasted commands, across a kill', async () => {
  using room = await createCliRoom({ agents: ['alice', 'bob', 'carol'] });
  const first = startWorkflow(room, 'code-review.js', {
    change: CHANGE,
    reviewers: ['nobody', 'alice', 'bob', 'carol'],
  });

  // The reviewer "nobody" is not in the room, so the next one is asked.
  const request = await nextMail(room, 'bob');
  expect(request.type).toBe('REVIEW-REQUEST');
  expect(request.content).toMatch(/^Please review my changes: Don't lose "\$HOME"\n/);
  const [, changes = '', ...more] = commandsIn(request);
  expect(more).toHaveLength(2);
  // Pasted without filling it in, the command does not count.
  await paste(room, 'bob', changes);
  const correction = await nextMail(room, 'bob');
  expect(correction.content).toContain('it does not say what must change');
  await paste(
    room,
    'bob',
    (commandsIn(correction)[1] ?? '').replace(': …', ': no test').replace('evidence: …', 'evidence: a.ts:1'),
  );

  const requested = await nextMail(room, 'alice');
  expect(requested.content).toContain('no test');
  first.child.kill('SIGKILL');
  expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
  await paste(room, 'alice', commandsIn(requested).at(-1) ?? '');

  const second = startWorkflow(room, 'code-review.js');
  const again = await nextMail(room, 'bob');
  expect(again.content).toContain('round 2 of 5');
  await paste(room, 'bob', commandsIn(again)[0] ?? '');
  const { code, stdout } = await second.ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    outcome: 'approved',
    rounds: 2,
    feedback: [
      { reviewer: 'bob', issues: [{ description: 'no test' }], evidence: ['a.ts:1'] },
      { reviewer: 'bob', verdict: 'approve' },
    ],
    gone: [{ reviewer: 'nobody', why: 'unreachable' }],
    undelivered: [{ to: 'nobody', type: 'REVIEW-REQUEST', code: 'ACTOR_NOT_FOUND' }],
  });
  expect((await nextMail(room, 'alice')).content).toMatch(/^Approved in round 2: /);
});

test('a challenge calls for a vote, and the command of the vote decides it', async () => {
  using room = await createCliRoom({ agents: ['alice', 'bob', 'carol'] });
  const review = startWorkflow(room, 'code-review.js', { change: CHANGE, reviewers: ['bob', 'carol'] });
  await nextMail(room, 'bob');
  const objection = 'request-changes: no test; evidence: npm test prints "0"';
  expect(await room.run(['send', 'code-review-protocol', 'REVIEW-FEEDBACK', objection], { as: 'bob' })).toMatchObject({
    code: 0,
  });
  const [challenge = ''] = commandsIn(await nextMail(room, 'alice'));
  await paste(
    room,
    'alice',
    challenge.replace('because …', 'because it is tested').replace('evidence: …', 'evidence: t.ts:1; evidence: t.ts:9'),
  );
  const { stdout } = await review.ended;
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'disagreement', disagreements: [{ topic: 'no test' }] });
  expect((await nextMail(room, 'carol')).content).toMatch(/\nNeed consensus vote!$/);

  expect((await nextMail(room, 'alice')).content).toMatch(/\nNeed consensus vote!$/);
  const [vote = ''] = commandsIn(await nextMail(room, 'alice'));
  const command = vote.replace(
    'machines/consensus.ts',
    `'${new URL('../../machines/consensus.ts', import.meta.url).pathname}'`,
  );
  const voting = room.shell(`exec bash -c "$(cat)"`, { stdin: command });
  for (const [voter, at] of [
    ['carol', 1],
    ['bob', 0],
  ] as const) {
    let question = await nextMail(room, voter);
    while (question.type !== 'QUESTION') question = await nextMail(room, voter);
    expect(question.content).toContain('evidence: t.ts:9');
    await paste(room, voter, commandsIn(question)[at] ?? '');
  }
  let question = await nextMail(room, 'alice');
  while (question.type !== 'QUESTION') question = await nextMail(room, 'alice');
  await paste(room, 'alice', commandsIn(question)[2] ?? '');
  const voted = await voting;
  expect(voted.code).toBe(0);
  expect(JSON.parse(voted.stdout)).toMatchObject({
    outcome: 'decided',
    option: 'keep',
    scores: [
      { option: 'change', votes: 1, evidence: 1 },
      { option: 'keep', votes: 1, evidence: 2 },
    ],
    abstentions: 1,
  });
});
