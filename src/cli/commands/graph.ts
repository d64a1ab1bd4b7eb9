import type { AnyStateMachine, StateValue } from 'xstate';
import { isMailroomError } from '../../errors.ts';
import { contextOf } from '../../room/room.ts';
import type { CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { isMachineFile, loadMachine, loadRuntime, machineOf, namedOrShipped, type Runtime } from '../load.ts';
import { withRoom } from '../with-room.ts';

export const graph: CliCommand = {
  name: 'graph',
  summary: 'draw a machine, or a workflow with its current states marked',
  operands: [{ name: 'machine-or-address', completes: 'address' }],
  options: [
    { name: 'svg', summary: 'draw SVG instead of Mermaid text' },
    {
      name: 'machine',
      value: 'file',
      summary: "the file of a workflow's machine; needed unless the machine ships with Mailroom",
    },
  ],
  details: `If \`mailroom run\` would refuse the machine, the reasons go to stderr.
GitHub, GitLab and many editors draw Mermaid text that is in a \`\`\`mermaid block.

  mailroom graph ship.ts >> README.md
  mailroom graph ship --machine ship.ts --svg > ship.svg`,
  run: async (call) => {
    const [wanted = ''] = call.args.operands;
    const { cwd, nudgeProgram: program, host, args, output } = call;
    const place = { cwd, program };
    const found = isMachineFile(wanted)
      ? await loadMachine(host, wanted, place).then(({ machine, path }) => ({
          machine,
          file: path,
          snapshot: undefined,
        }))
      : await withRoom(call, (room) =>
          machineOf(contextOf(room), wanted, { ...place, chooseFile: namedOrShipped(call) }),
        );
    const runtime = await loadRuntime(found.file);
    const value = (found.snapshot as { value?: StateValue } | null | undefined)?.value;
    const options = value === undefined ? {} : { value };
    const drawn = args.options.has('svg')
      ? await runtime.drawSvg(found.machine, options)
      : runtime.toMermaid(found.machine, options);
    await output.data(drawn.endsWith('\n') ? drawn : `${drawn}\n`);
    const refusal = refusalOf(runtime, found.machine);
    if (refusal !== undefined) await output.advise(refusal);
    return EXIT_OK;
  },
};

/** Why `mailroom run` would refuse the machine; undefined if it would run it. */
function refusalOf({ checkMachine }: Runtime, machine: AnyStateMachine): string | undefined {
  try {
    checkMachine(machine);
    return undefined;
  } catch (error) {
    if (!isMailroomError(error)) throw error;
    const hint = (error.hint ?? '').replaceAll('\n', '\n  ');
    return `mailroom run would refuse it. ${error.message}\n  ${hint}\n`;
  }
}
