/**
 * Root causes: a message that was put back after the purge of its day was refused as purged; and one whose copy was
 * claimed while its day was being purged was looked up in the purged days before the day was recorded, and in `done`
 * after it was deleted, and so was acted on again.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { acknowledge, claimNew } from '../../src/mailbox/claim.ts';
import { retryDead } from '../../src/mailbox/dead.ts';
import { drain } from '../../src/mailbox/drain.ts';
import { purge } from '../../src/mailbox/purge.ts';
import { dayOfId } from '../../src/message/message-id.ts';
import { VERBS } from './verbs.ts';
import { createWorld, type Actor, type World } from './world.ts';

const DAYS_40_MS = 40 * 86_400_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.remove());

/** A message that was acknowledged 40 days ago. */
function acknowledgedLongAgo(): Actor {
  world.clear();
  fs.rmSync(world.layout.purgedThrough, { force: true });
  fs.rmSync(world.layout.purgeClock, { force: true });
  const { first } = world.messages;
  world.put(`new/${first.name}`, first.bytes, 'first');
  const actor = world.actor('a', 60_000);
  VERBS.claim(actor, world.messages);
  VERBS.acknowledge(actor, world.messages);
  world.clock.nowMs += DAYS_40_MS;
  return actor;
}

/** What a purge leaves, made in one piece: the day recorded, then its files deleted. */
function purgeAtOnce(): void {
  const day = dayOfId(world.messages.first.message.id);
  fs.writeFileSync(world.layout.purgedThrough, `${day}\n`);
  fs.rmSync(path.join(world.layout.done, day), { recursive: true });
}

test('a copy that is claimed while its day is purged is never handed out, at whichever call the purge runs', () => {
  const { first } = world.messages;
  let schedules = 0;
  for (let step = 1; ; step++) {
    acknowledgedLongAgo();
    world.put(`new/${first.name}`, first.bytes, 'first');
    const late = world.actor('late', 60_000);
    late.stepped.start((at) => {
      if (at === step) purgeAtOnce();
    });
    const claim = claimNew(late.mailbox, { name: first.name, leaseMs: 60_000 });
    if (late.stepped.steps.length < step) break;
    schedules += 1;
    expect(claim, `with the purge at call ${step}, ${late.stepped.steps[step - 1]}`).toBeUndefined();
    expect(fs.readdirSync(world.layout.cur)).toEqual([]);
  }
  expect(schedules).toBeGreaterThan(5);
  console.log(`${schedules} calls of a claim with a purge before each`);
});

test('a copy that arrives and is claimed at any call of a purge is never handed out', async () => {
  const { first } = world.messages;
  let schedules = 0;
  for (let step = 1; ; step++) {
    const purger = acknowledgedLongAgo();
    const late = world.actor('late', 60_000);
    let claim: unknown;
    purger.stepped.start((at) => {
      if (at !== step) return;
      world.put(`new/${first.name}`, first.bytes, 'first');
      claim = claimNew(late.mailbox, { name: first.name, leaseMs: 60_000 });
    });
    await purge(purger.mailbox);
    if (purger.stepped.steps.length < step) break;
    schedules += 1;
    expect(claim, `at call ${step} of the purge, ${purger.stepped.steps[step - 1]}`).toBeUndefined();
  }
  expect(schedules).toBeGreaterThan(10);
  console.log(`${schedules} calls of a purge with a late copy before each`);
});

test('a dead letter older than the purged days can be put back, is handed out and acknowledged, and purged again', async () => {
  const actor = acknowledgedLongAgo();
  const { first, second } = world.messages;
  await purge(actor.mailbox);
  expect(fs.readdirSync(world.layout.done)).toEqual([]);
  fs.writeFileSync(`${world.layout.dead}/${second.name}`, second.bytes);
  retryDead(actor.mailbox, second.name);
  const [claim] = [...drain(actor.mailbox, { leaseMs: 60_000 })];
  expect(claim?.message).toMatchObject({ id: second.message.id, content: 'second' });
  if (claim) acknowledge(actor.mailbox, claim);
  const day = dayOfId(first.message.id);
  expect(fs.readdirSync(`${world.layout.done}/${day}`)).toEqual([second.name]);
  expect(await purge(actor.mailbox)).toMatchObject({ through: day, days: 1, messages: 1 });
});
