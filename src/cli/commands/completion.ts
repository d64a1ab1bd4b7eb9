import { MessageType } from '../../message/message-type.ts';
import { type CommandSpec, COMMON_OPTIONS, type OperandSpec, type OptionSpec } from '../command-spec.ts';
import type { CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';

/** The command `completion`; `commands` returns the table of all commands. */
export function createCompletion(commands: () => readonly CliCommand[]): CliCommand {
  return {
    name: 'completion',
    summary: 'print a shell completion script',
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

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A script with which a shell completes commands, options, addresses, types and choices, all from the table of commands. */
function completionScript(shell: Shell, commands: readonly CommandSpec[]): string {
  const writers = { bash, zsh, fish };
  return writers[shell](commands);
}

const ADDRESSES = 'mailroom agents --addresses 2>/dev/null';
const TYPES = Object.values(MessageType).join(' ');

function bash(commands: readonly CommandSpec[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const cases = commands.map((command) => {
    const options = [...command.options, ...COMMON_OPTIONS];
    const words = options.map(({ name }) => `--${name}`).join(' ');
    const positions = command.operands.map((operand, index) => {
      const offered = operand.choices?.join(' ') ?? offeredFor(operand.completes, commands);
      return `        ${index}) words="${offered}" ;;\n`;
    });
    return `    ${command.name})
      options="${words}"
      case $place in
${positions.join('')}      esac ;;
`;
  });
  const values = choicesOf(commands).map(
    ([name, choices]) => `    --${name}) COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$word")); return ;;\n`,
  );
  const taking = valueOptions(commands).map((name) => `--${name}`);
  return `_mailroom() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" place=0 words="" options="" at one
  case "$before" in
    --as) COMPREPLY=($(compgen -W "$(${ADDRESSES})" -- "$word")); return ;;
    --file|--room) COMPREPLY=($(compgen -f -- "$word")); return ;;
${values.join('')}  esac
  for ((at = 1; at < COMP_CWORD; at++)); do
    one="\${COMP_WORDS[at]}"
    case "$one" in
      ${taking.join('|')}) ((at++)) ;;
      -?*) ;;
      *) if [[ -z "$command" ]]; then command="$one"; else ((place++)); fi ;;
    esac
  done
  case "$command" in
    "") words="${names}"; options="${COMMON_OPTIONS.map(({ name }) => `--${name}`).join(' ')}" ;;
${cases.join('')}  esac
  if [[ "$word" == -* ]]; then words="$options"; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _mailroom mailroom
`;
}

function offeredFor(completes: OperandSpec['completes'], commands: readonly CommandSpec[]): string {
  if (completes === 'address') return `$(${ADDRESSES})`;
  if (completes === 'type') return TYPES;
  return completes === 'command' ? commands.map(({ name }) => name).join(' ') : '';
}

/** zsh runs bash completions; a native script would only repeat the same table. */
function zsh(commands: readonly CommandSpec[]): string {
  return `autoload -U +X compinit && compinit -u\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: readonly CommandSpec[]): string {
  const say = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const option = (condition: string, { name, value, choices, summary }: OptionSpec): string => {
    const offered = choices ? ` -a ${say(choices.join(' '))}` : name === 'as' ? ` -a '(${ADDRESSES})'` : '';
    const file = name === 'file' || name === 'room' ? ' -F' : '';
    return `complete -c mailroom${condition}${value === undefined ? '' : ' -r'}${file} -l ${name}${offered} -d ${say(summary)}\n`;
  };
  const lines = commands.flatMap((command) => {
    const condition = ` -n '__fish_seen_subcommand_from ${command.name}'`;
    const words = command.operands.flatMap(({ choices, completes }) => choices ?? offeredFor(completes, commands));
    const operands = words.filter(Boolean).map((offered) => offered.replace(/^\$/, ''));
    return [
      `complete -c mailroom -n __fish_use_subcommand -a ${command.name} -d ${say(command.summary)}\n`,
      ...command.options.map((one) => option(condition, one)),
      ...(operands.length > 0 ? [`complete -c mailroom${condition} -a ${say(operands.join(' '))}\n`] : []),
    ];
  });
  return `complete -c mailroom -f\n${COMMON_OPTIONS.map((one) => option('', one)).join('')}${lines.join('')}`;
}

function choicesOf(commands: readonly CommandSpec[]): [string, readonly string[]][] {
  const found = new Map<string, readonly string[]>();
  for (const { name, choices } of commands.flatMap((command) => command.options)) if (choices) found.set(name, choices);
  return [...found];
}

function valueOptions(commands: readonly CommandSpec[]): string[] {
  const all = [...COMMON_OPTIONS, ...commands.flatMap((command) => command.options)];
  return [...new Set(all.filter(({ value }) => value !== undefined).map(({ name }) => name))];
}
