import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeRoom } from '../bench-room.ts';
import { interleave } from '../measure.ts';
import { compare, type Outcome, type Row } from '../row.ts';
import { bySize } from '../size.ts';
import { timeProcess } from '../time-process.ts';

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
    const time = (args: readonly string[]): number => timeProcess({ node: bench.node, room: directory }, args);
    let begun = 0;
    const run = (file: string): number => {
      begun += 1;
      return time([program, 'run', path.join(project, file), '--as', `trivial-${begun}`]);
    };
    const samples = await interleave(
      {
        nothing: () => time(['-e', '0']),
        loaded: () => time([path.join(project, 'machine.js')]),
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
        goal: { most: 1.9, unit: '×' },
      }),
      compare({
        work: 'the same of a .ts machine',
        ...floor,
        samples: samples.typeScript,
        // By Node's own type stripping, or by tsx.
        goal: { most: stripsTypes(bench.node) ? 2.5 : 5, unit: '×' },
      }),
      compare({ work: 'node machine.js, which only loads that machine', ...floor, samples: samples.loaded }),
    ];
  },
};

/** Whether that Node runs TypeScript by itself. */
function stripsTypes(node: string): boolean {
  const { stdout } = spawnSync(node, ['-p', 'process.features.typescript'], { encoding: 'utf8' });
  return stdout.trim() === 'strip';
}

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
