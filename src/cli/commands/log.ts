import { formatLogLine } from '../../log/format-line.ts';
import { followLog, lastLines } from '../../log/read-log.ts';
import { visibleJson } from '../../message/visible.ts';
import { contextOf, type Room } from '../../room/room.ts';
import { watchTree } from '../../room/watch-room.ts';
import { textOption } from '../arguments.ts';
import { countOption, listOption } from '../option-values.ts';
import type { Call, CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { onInterruption } from '../interruption.ts';
import { withRoom } from '../with-room.ts';

const LIMIT_DEFAULT = 50;

export const log: CliCommand = {
  name: 'log',
  summary: 'print what happened in the room',
  operands: [],
  options: [
    { name: 'follow', summary: 'keep printing until Ctrl-C (exit 130)' },
    { name: 'limit', value: 'count', summary: `how many of the last lines; default ${LIMIT_DEFAULT}` },
    { name: 'event', value: 'names', summary: 'only these events, comma-separated' },
    { name: 'from', value: 'address', summary: 'only what this actor did' },
  ],
  details: `One line per event: joined, sent with its outcomes, claimed, acknowledged, dead, refused, nudged …
The log is for people; mailboxes do not depend on it. With --json each line is one JSON object.

  mailroom log --limit 200
  mailroom log --from ship --event logged,action-failed
  mailroom log --follow`,
  run: (call) => withRoom(call, (room) => printLog(call, room)),
};

async function printLog(call: Call, room: Room): Promise<number> {
  const { host, layout, config, standing } = contextOf(room);
  const follow = call.args.options.has('follow');
  const print = (line: string): Promise<void> =>
    call.output.data(`${call.isJson ? jsonLine(line) : formatLogLine(line)}\n`);
  const limit = countOption(call.args, 'limit') ?? LIMIT_DEFAULT;
  const matches = matcherOf(listOption(textOption(call.args, 'event')), textOption(call.args, 'from'));
  if (!follow) {
    for (const line of lastLines(host, layout, { limit, matches })) await print(line);
    return EXIT_OK;
  }
  using interruption = onInterruption();
  const { signal } = interruption;
  const warn = (text: string): void => void call.output.talk(`${text}\n`);
  const changes = await watchTree(host, { path: layout.logDirectory, pollMs: config.limits.pollMs, signal, warn });
  // Starts before the last lines are read, so that no line is missed between the two.
  const following = followLog(host, layout);
  try {
    for (const line of lastLines(host, layout, { limit, matches })) await print(line);
    while (!signal.aborted) {
      standing.assertSame();
      for (const line of following.lines()) if (matches(line)) await print(line);
      await changes.next();
    }
  } finally {
    following.close();
    await changes.close();
  }
  return interruption.exitCode ?? EXIT_OK;
}

/** The filter of --event and --from; without either, every line matches. */
function matcherOf(events: readonly string[] | undefined, from: string | undefined): (line: string) => boolean {
  if (events === undefined && from === undefined) return () => true;
  return (line) => {
    try {
      const record = JSON.parse(line) as { readonly event?: string; readonly from?: string } | null;
      return (events?.includes(record?.event ?? '') ?? true) && (from === undefined || record?.from === from);
    } catch {
      return false;
    }
  };
}

/** A line that is not JSON was not written by Mailroom; it is shown as text in a JSON object. */
function jsonLine(line: string): string {
  try {
    return visibleJson(JSON.parse(line));
  } catch {
    return visibleJson({ event: 'unreadable', detail: line });
  }
}
