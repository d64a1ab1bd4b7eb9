/**
 * Root causes: every error of opening a file was taken for a fault of the file, so a failing disk put good mail aside;
 * and a message that could not be judged after the claim stayed claimed until its lease ended.
 */
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { acknowledge, claimNew, takeOver, type Claim } from '../../src/mailbox/claim.ts';
import type { Mailbox } from '../../src/mailbox/mailbox.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { failAt, FAULTS } from '../faults/faulty-files.ts';
import { LEASE_MS, MailboxSetUp } from './mailbox-set-up.ts';

const scratch = scratchDirectories('claim-trouble');
const CALLS_MAX = 60;

test.each([...FAULTS, 'ENOMEM'])(
  'whichever call fails with %s, the message can be claimed afterwards',
  async (error) => {
    const setUp = await MailboxSetUp.in(scratch(), { attemptsMax: 2 });
    let faults = 0;
    for (let n = 1; n <= CALLS_MAX; n++) {
      const sealed = setUp.letter();
      await setUp.deliver(sealed);
      const faulty = failAt(nodeFileSystem, { n, error });
      const reader = setUp.seenBy({ files: faulty.files });
      const claim = tryToClaim(reader, sealed.name) ?? claimAfterwards(setUp, sealed.name);
      expect(claim, `${error} at call ${n}, ${faulty.steps[n - 1]}`).toMatchObject({ attempt: 1 });
      if (claim) acknowledge(setUp.mailbox, claim);
      if (!faulty.fired) break;
      faults += 1;
    }
    expect(setUp.names('dead')).toEqual(['refused']);
    expect(setUp.refusals()).toEqual([]);
    console.log(`${error} at each of ${faults} calls of a claim`);
    expect(faults).toBeGreaterThan(5);
  },
);

function tryToClaim(reader: Mailbox, name: string): Claim | undefined {
  try {
    return claimNew(reader, { name, leaseMs: LEASE_MS });
  } catch {
    return undefined;
  }
}

/** By another reader, at the same time: it must not have to wait for anything. */
function claimAfterwards({ mailbox }: MailboxSetUp, name: string): Claim | undefined {
  const givenBack = { name, attempt: 0, untilMs: 0 };
  return claimNew(mailbox, { name, leaseMs: LEASE_MS }) ?? takeOver(mailbox, { claim: givenBack, leaseMs: LEASE_MS });
}

test('a rename that is reported as failed after it happened counts as done', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  await setUp.deliver(sealed);
  const files = {
    ...nodeFileSystem,
    rename: (from: string, to: string): never => {
      nodeFileSystem.rename(from, to);
      throw Object.assign(new Error('EIO: reported late'), { code: 'EIO' });
    },
  };
  const reader = setUp.seenBy({ files });
  const claim = claimNew(reader, { name: sealed.name, leaseMs: LEASE_MS });
  if (!claim) throw new Error('not claimed');
  acknowledge(reader, claim);
  expect(setUp.names('cur')).toEqual([]);
});
