import { defineConfig } from 'vitest/config';
import { TableReporter } from './agents-real/table.ts';
import shared from './vitest.config.ts';

export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ['test/agents-real/*.agents.test.ts'],
    exclude: [],
    globalSetup: 'test/agents-real/install.ts',
    // Each test starts programs that need hundreds of megabytes and seconds of processor time to come up.
    maxWorkers: 2,
    reporters: ['default', new TableReporter()],
  },
});
