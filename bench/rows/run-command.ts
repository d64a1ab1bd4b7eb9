import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeRoom } from '../bench-room.ts';
import { interleave } from '../measure.ts';
import { compare, type Outcome, type Row } from '../row.ts';
import { bySize } from '../size.ts';

/** The packages that a project has installed that writes a machine of its own. */
const INSTALLED = ['xstate', 'zod'];

const MACHINE = `
import { setup } from 'xstate';
import { accepts } from 'agent-mailroom/workflow';
export const machine = setup({ schemas: accepts({}) }).createMachine({
  id: 'trivial',
  initial: 'over',
  output: { done: true },
  states: { over: { type: 'final' } },
});
`;

/** `mailroom run` as a whole process, of a machine that is over at once: what every workflow costs to begin and to end. */
export const runCommandRow: Row = {
  name: 'run-command',
  run: async (bench): Promise<Outcome[]> => {
    const program = path.join(bench.dist, 'cli', 'mailroom.cjs');
    if (!fs.existsSync(program)) {
      return [{ work: 'mailroom run, whole process', skipped: `${program} is not built: npm run build` }];
    }
    const { directory, close } = await makeRoom(bench, { addresses: ['alice'] });
    await close();
    const project = makeProject(bench.freshDirectory(), bench.dist);
    let begun = 0;
    const run = (file: string): number => {
      begun += 1;
      return timeProcess([program, 'run', path.join(project, file), '--as', `trivial-${begun}`], directory);
    };
    const samples = await interleave(
      {
        nothing: () => timeProcess(['-e', '0'], directory),
        loaded: () => timeProcess([path.join(project, 'machine.js')], directory),
        javaScript: () => run('machine.js'),
        typeScript: () => run('machine.ts'),
      },
      bySize(bench, {
        full: { counted: 31, warmUp: 3 },
        quick: { counted: 11, warmUp: 2 },
        smoke: { counted: 1, warmUp: 0 },
      }),
    );
    const floor = { floor: 'node -e 0', floorSamples: samples.nothing } as const;
    return [
      compare({
        work: 'mailroom run of a .js machine that is over at once, whole process',
        ...floor,
        samples: samples.javaScript,
        goal: { most: 2, unit: '×' },
      }),
      compare({ work: 'the same of a .ts machine', ...floor, samples: samples.typeScript }),
      compare({ work: 'node machine.js, which only loads that machine', ...floor, samples: samples.loaded }),
    ];
  },
};

/** A project with the built package installed. */
function makeProject(project: string, dist: string): string {
  const modules = path.join(project, 'node_modules');
  fs.mkdirSync(modules);
  const repository = path.dirname(import.meta.dirname.replace(/\/rows$/, ''));
  fs.symlinkSync(path.dirname(dist), path.join(modules, 'agent-mailroom'));
  for (const name of INSTALLED) fs.symlinkSync(path.join(repository, 'node_modules', name), path.join(modules, name));
  fs.writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }');
  for (const file of ['machine.js', 'machine.ts']) fs.writeFileSync(path.join(project, file), MACHINE);
  return project;
}

function timeProcess(args: readonly string[], room: string): number {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], MAILROOM_DIR: room };
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ns = Number(process.hrtime.bigint() - start);
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${String(stderr)}`);
  return ns;
}
