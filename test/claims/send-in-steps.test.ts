import { afterAll, beforeAll, expect, test } from 'vitest';
import { deliver } from '../../src/mailbox/deliver.ts';
import { createSendOrder } from '../../src/mailbox/send-order.ts';
import { sendInSteps } from './send-in-steps.ts';
import { STARTS } from './starts.ts';
import { createWorld, type Actor, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.remove());

/** Names of staged files and refused letters are random. */
const withoutRandom = (steps: readonly string[]): string[] =>
  steps.map((step) => step.replace(/[0-9a-f]{24}/g, '<random>').replace(/refused\/[0-9a-f-]{36}/g, 'refused/<uuid>'));

test.each(STARTS)('the send that fits between two calls makes the calls of a real one: $name', async ({ lay }) => {
  const ready = (): Actor => {
    world.clear();
    const [a, b] = [world.actor('a', 60_000), world.actor('b', 60_000)];
    lay(world, { a, b }, world.messages);
    const sender = world.actor('sender', 60_000);
    sender.sending = 'first';
    sender.stepped.start(() => {});
    return sender;
  };
  const inSteps = ready();
  const said = sendInSteps(inSteps, world.messages.first);

  const real = ready();
  const slot = createSendOrder()();
  const options = { durability: 'process', repeat: true, slot } as const;
  const [outcome] = await deliver([real.mailbox], world.messages.first, options);

  expect(withoutRandom(inSteps.stepped.steps)).toEqual(withoutRandom(real.stepped.steps));
  expect(said).toBe(outcome && 'error' in outcome && outcome.error.code === 'CONFLICT' ? 'conflict' : outcome?.outcome);
});
