import { expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';
import { read } from '../../src/cli/commands/read.ts';
import type { Host } from '../../src/host/host.ts';
import { openRoom } from '../../src/index.ts';
import { healthyHost, look } from '../crash/look.ts';
import { makeRoom } from '../crash/prepared.ts';
import { createTemplate } from '../crash/room-template.ts';
import { failAt } from '../faults/faulty-files.ts';
import { sweep, type Fault } from '../faults/fault-sweep.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';

const CONTENTS = ['one', 'two', 'three'];
const STEPS_MAX = 300;

interface Ended {
  /** Whether it reported success. */
  readonly isWell: boolean;
  readonly stdout: string;
  /** What it said was wrong. */
  readonly stderr: string;
}

/** Runs the command in this process, on a file system that fails. */
async function readOn(directory: string, host: Host, words: readonly string[]): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const output = {
    isThere: () => true,
    data: async (text: string) => void (stdout += text),
    json: async (value: unknown) => void (stdout += JSON.stringify(value)),
    report: async () => {},
    talk: async (text: string) => void (stderr += text),
    advise: async (text: string) => void (stderr += text),
  };
  const args = parseArguments(read, [...words, '--as', 'bob', '--room', directory]);
  const isJson = args.options.has('json');
  const place = {
    host,
    env: {},
    cwd: directory,
    pasteable: (text: string) => text,
    program: import.meta.filename,
    nudgeProgram: import.meta.filename,
  };
  try {
    const code = await read.run({ command: read, words, args, output, isJson, ...place });
    return { isWell: code === 0, stdout, stderr };
  } catch (error) {
    return { isWell: false, stdout, stderr: `${stderr}${String(error)}` };
  }
}

const FORMS: readonly (readonly [words: readonly string[]])[] = [[[]], [['--json']]];

// A message that could not be read was passed over in silence, as long as another one could be.
// The seed chooses one of the forms; the long set has both.
it.each(choice(FORMS, (form) => form === FORMS[SEED % FORMS.length]))(
  'reading %s says whatever could not be read, wherever a call fails, and loses nothing',
  async (words) => {
    const template = await createTemplate((directory) =>
      makeRoom(directory, {}, async (room) => {
        for (const content of CONTENTS) await room.agent('alice').send({ to: 'bob', type: 'INFO', content });
        // One that is taken over, beside those that are new.
        await (await room.agent('bob').claim((await look(directory))[0]?.id ?? '')).release();
      }),
    );
    const faults = ['EIO', 'EMFILE'].flatMap((error): Fault[] => [
      { title: error, at: (files, n) => failAt(files, { n, error }) },
      { title: `${error} after the work`, at: (files, n) => failAt(files, { n, error, when: 'after' }) },
      { title: `${error} from then on`, at: (files, n) => failAt(files, { n, error, lasting: true }) },
    ]);
    let partly = 0;
    try {
      const { fired } = await sweep({ files: healthyHost.files, faults, stepsMax: STEPS_MAX }, async ({ files }) => {
        const directory = template.copy();
        const ended = await readOn(directory, { ...healthyHost, files }, words);
        const printed = CONTENTS.filter((content) => new RegExp(`\\b${content}\\b`).test(ended.stdout));
        const copies = await look(directory);
        const isAllDone = printed.length === CONTENTS.length && copies.every(({ state }) => state === 'done');
        expect(ended.isWell ? isAllDone : ended.stderr !== '', `it printed ${printed.join()}, ${ended.stderr}`).toBe(
          true,
        );
        if (!ended.isWell && printed.length > 0 && printed.length < CONTENTS.length) partly += 1;
        const acknowledged = copies.filter(({ state }) => state === 'done').map(({ content }) => content);
        expect(printed).toEqual(expect.arrayContaining(acknowledged));
        expect(copies.map(({ content }) => content).sort()).toEqual([...CONTENTS].sort());
        template.discard(directory);
      });
      console.log(`${fired} faults, ${partly} of which kept only some messages from being read`);
      expect(partly).toBeGreaterThan(10);
    } finally {
      template.remove();
    }
  },
);

it('prints what it has claimed before the mailbox cannot be listed any more', async () => {
  const template = await createTemplate((directory) =>
    makeRoom(directory, {}, async (room) => {
      for (const content of CONTENTS) await room.agent('alice').send({ to: 'bob', type: 'INFO', content });
    }),
  );
  try {
    const directory = template.copy();
    let listings = 0;
    const readdir = (path: string): string[] => {
      // Claiming lists `cur`; only the listings of `new` are counted.
      if (path.endsWith('/bob/mailbox/new')) listings += 1;
      if (listings > 1) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' });
      return healthyHost.files.readdir(path);
    };
    const ended = await readOn(directory, { ...healthyHost, files: { ...healthyHost.files, readdir } }, []);
    expect(ended.isWell).toBe(false);
    expect(ended.stderr).toContain('EIO');
    for (const content of CONTENTS) expect(ended.stdout).toContain(`  ${content}\n`);
    expect((await look(directory)).map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    await using room = await openRoom({ directory, host: healthyHost });
    expect(room.agent('bob').held()).toEqual([]);
  } finally {
    template.remove();
  }
});
