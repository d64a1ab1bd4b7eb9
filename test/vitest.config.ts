import { dirname, join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { memoryDirectory } from './run/memory-directory.ts';
import { RunReport } from './run/run-report.ts';

/** Only what hangs is to end by this: a busy machine may stretch a test that enumerates, or starts programs, many times. */
const TEST_TIMEOUT_MS = 300_000;
const LONG_TEST_TIMEOUT_MS = 60 * 60_000;

const LONG = 'test/**/*.long.test.ts';
const PACKAGE = ['test/installed/*.slow.test.ts', 'test/types/compilers.slow.test.ts'];
const AGENTS = 'test/**/*.agents.test.ts';

/** The files of each set. `test/README.md` says who runs which; without a set, any file can be named. */
const SETS: Readonly<Record<string, { readonly include?: string[]; readonly exclude: string[] }>> = {
  quick: { exclude: [LONG, AGENTS, ...PACKAGE, 'test/**/*.slow.test.ts'] },
  all: { exclude: [LONG, AGENTS, ...PACKAGE] },
  package: { include: PACKAGE, exclude: [] },
  long: { exclude: [AGENTS] },
};

const set = process.env['MAILROOM_TESTS'] ?? '';
const { include = ['test/**/*.test.ts'], exclude = [LONG, AGENTS] } = SETS[set] ?? {};
const isLong = set === 'long';
const timeoutMs = isLong ? LONG_TEST_TIMEOUT_MS : TEST_TIMEOUT_MS;
/** Of every random choice of the run. */
const seed = process.env['MAILROOM_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31));
/** Of the sets that are run most often; the others have room for what they install, and show that all works on a disk. */
const temporary = set === 'quick' || set === 'all' ? memoryDirectory() : undefined;
const results = process.env['MAILROOM_RESULTS'];

const LONGEST = 'crash-matrix.slow.test.ts';

/** The longest file first: it computes while others, beside it, wait for processes and clocks. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLongest = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith(LONGEST);
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

export default defineConfig({
  root: dirname(import.meta.dirname),
  test: {
    include,
    exclude,
    // Tests kill, stop and starve processes, which threads of one process would not survive.
    pool: 'forks',
    // Loading the sources anew for each of 180 files took a tenth of the time. No test changes what others would see.
    isolate: false,
    // Many slow tests wait for processes and clocks most of their time. A worker loads the sources once more, which the quick ones save.
    maxWorkers: set === 'quick' ? 2 : 3,
    sequence: { sequencer: LongestFirst },
    setupFiles: ['test/run/each-file.ts'],
    reporters: [
      'default',
      new RunReport({ seed, isLong }),
      ...(results === undefined ? [] : [['json', { outputFile: join(results, `${set}.json`) }] as ['json', object]]),
    ],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    env: {
      // Where it is set, node reads the certificates at each start, tens of ms for each of some thousand processes; nothing here talks TLS.
      NODE_EXTRA_CA_CERTS: '',
      // Where the commands keep their compiled code.
      XDG_CACHE_HOME: join(dirname(import.meta.dirname), 'node_modules/.cache'),
      MAILROOM_SEED: seed,
      ...(temporary === undefined ? {} : { TMPDIR: temporary }),
      // Long tests try every place, start every command as a process, and try more of what chance chooses.
      ...(isLong ? { MAILROOM_STRIDE: '1', MAILROOM_TEST_PROCESSES: '1' } : {}),
    },
    // A focused test would hide all others from a result that says "passed".
    allowOnly: process.env['MAILROOM_CI'] === undefined,
  },
});
