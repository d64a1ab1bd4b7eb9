/**
 * Root cause: a retried send that found its message claimed or acknowledged synced only `new`, where the message no
 * longer was, and reported it as delivered. If the first attempt was killed before its own sync, or was made without
 * one, a power loss could still lose the message.
 */
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deliver } from '../../src/mailbox/deliver.ts';
import { createSendOrder } from '../../src/mailbox/send-order.ts';
import { STARTS } from './starts.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.remove());

/** Every start in which the message was delivered, and no other has its id. */
const DELIVERED = STARTS.filter(({ name }) => !/empty|another|squatter/.test(name));

test.each(DELIVERED)(
  'a send retried to survive a power loss syncs the message where it is by then: $name',
  async ({ lay }) => {
    world.clear();
    lay(world, { a: world.actor('a', 60_000), b: world.actor('b', 60_000) }, world.messages);
    const places = world.copies.list().map((line) => `${world.layout.directory}/${line.replace(/ first$/, '')}`);
    const sender = world.actor('sender', 60_000);
    sender.stepped.start(() => {});
    const options = { durability: 'power', repeat: true, slot: createSendOrder()() } as const;
    const [outcome] = await deliver([sender.mailbox], world.messages.first, options);

    expect(outcome).toEqual({ outcome: 'delivered', again: true });
    const synced = sender.stepped.steps
      .filter((step) => step.startsWith('fsync'))
      .map((step) => step.slice('fsync '.length));
    for (const place of places) {
      expect(synced).toContain(place);
      expect(synced).toContain(dirname(place));
    }
  },
);
