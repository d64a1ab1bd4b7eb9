import type { Command } from '../command.ts';
import { completionScript, SHELLS, type Shell } from '../completion-script.ts';
import { EXIT_OK } from '../exit-code.ts';

/** The command that prints what a shell needs to complete the others. */
export function createCompletion(commands: () => readonly Command[]): Command {
  return {
    name: 'completion',
    summary: 'print the completion script of a shell',
    operands: [{ name: 'shell', choices: SHELLS }],
    options: [],
    details: `  echo 'eval "$(mailroom completion bash)"' >> ~/.bashrc
  echo 'eval "$(mailroom completion zsh)"' >> ~/.zshrc
  mailroom completion fish > ~/.config/fish/completions/mailroom.fish`,
    run: async ({ args, output }) => {
      await output.data(completionScript(args.operands[0] as Shell, commands()));
      return EXIT_OK;
    },
  };
}
