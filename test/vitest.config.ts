import { dirname, join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { SlowestFiles } from './run/slowest.ts';

/** Only what hangs is to end by this: a busy machine may stretch a test that enumerates, or starts programs, many times. */
const TEST_TIMEOUT_MS = 300_000;

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
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.long.test.ts', 'test/**/*.agents.test.ts'],
    // Tests kill, stop and starve processes, which threads of one process would not survive.
    pool: 'forks',
    // Loading the sources anew for each of 180 files took a tenth of the time. No test changes what others would see.
    isolate: false,
    // Many tests wait for processes and clocks most of their time.
    maxWorkers: 3,
    setupFiles: ['test/run/cpu-of-file.ts'],
    reporters: ['default', new SlowestFiles()],
    sequence: { sequencer: LongestFirst },
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: TEST_TIMEOUT_MS,
    // Where the first is set, node reads the certificates at each start, tens of ms for each of some thousand processes; nothing here
    // talks TLS. The second is where the commands keep their compiled code.
    env: { NODE_EXTRA_CA_CERTS: '', XDG_CACHE_HOME: join(dirname(import.meta.dirname), 'node_modules/.cache') },
    // A focused test would hide all others from a result that says "passed".
    allowOnly: process.env['MAILROOM_CI'] === undefined,
  },
});
