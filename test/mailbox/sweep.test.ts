import fs from 'node:fs';
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { sweep } from '../../src/mailbox/sweep.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { systemError } from '../faults/faulty-files.ts';
import { MailboxSetUp, START_MS } from './mailbox-set-up.ts';

const scratch = scratchDirectories('sweep');
const AGE_MS = 1_000;

function litter(setUp: MailboxSetUp, ages: Readonly<Record<string, number>>): void {
  for (const [name, ageMs] of Object.entries(ages)) {
    const file = `${setUp.mailbox.layout.tmp}/${name}`;
    fs.writeFileSync(file, 'cut o');
    fs.utimesSync(file, (START_MS - ageMs) / 1000, (START_MS - ageMs) / 1000);
  }
}

test('old files in tmp are swept; younger files stay, and so does a message that was linked from there', async () => {
  const setUp = await MailboxSetUp.in(scratch(), { tmpAgeMsMax: AGE_MS });
  litter(setUp, { old: AGE_MS + 1, due: AGE_MS, young: AGE_MS - 1, ahead: -AGE_MS });
  const sealed = setUp.letter();
  await setUp.deliver(sealed);
  fs.linkSync(`${setUp.mailbox.layout.new}/${sealed.name}`, `${setUp.mailbox.layout.tmp}/linked`);
  fs.utimesSync(`${setUp.mailbox.layout.tmp}/linked`, 1, 1);
  fs.mkdirSync(`${setUp.mailbox.layout.tmp}/folder`);
  fs.utimesSync(`${setUp.mailbox.layout.tmp}/folder`, 1, 1);
  expect(sweep(setUp.mailbox)).toBe(3);
  expect(setUp.names('tmp')).toEqual(['ahead', 'folder', 'young']);
  expect(setUp.names('new')).toEqual([sealed.name]);
  expect(sweep(setUp.mailbox)).toBe(0);
});

test('one file that cannot be removed does not keep others from being swept', async () => {
  const setUp = await MailboxSetUp.in(scratch(), { tmpAgeMsMax: AGE_MS });
  litter(setUp, { a: AGE_MS, b: AGE_MS, c: AGE_MS });
  const files = {
    ...nodeFileSystem,
    unlink: (path: string): void => {
      if (path.endsWith('/b')) throw systemError('EPERM', { name: 'unlink', path });
      nodeFileSystem.unlink(path);
    },
  };
  expect(sweep(setUp.seenBy({ files }))).toBe(2);
  expect(setUp.names('tmp')).toEqual(['b']);
});
