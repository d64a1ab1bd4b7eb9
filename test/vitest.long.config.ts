import { defineConfig } from 'vitest/config';
import shared from './vitest.config.ts';

const TEST_TIMEOUT_MS = 60 * 60_000;

export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: [
      'test/**/*.long.test.ts',
      // Those that try only one of several places otherwise.
      'test/crash/*.slow.test.ts',
      'test/chain/chain-{kill.slow,interleaved,faults}.test.ts',
      'test/room/rate-faults.test.ts',
      'test/claims/pairs.slow.test.ts',
      'test/installed/typescript.slow.test.ts',
    ],
    env: { ...shared.test?.env, MAILROOM_STRIDE: '1' },
    exclude: [],
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: TEST_TIMEOUT_MS,
  },
});
