import type { CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';

/** The command that `--version` runs. */
export function createVersion(version: string): CliCommand {
  return {
    name: 'version',
    summary: 'print the version',
    operands: [],
    options: [],
    details: '',
    run: async ({ output }) => {
      await output.data(`${version}\n`);
      return EXIT_OK;
    },
  };
}
