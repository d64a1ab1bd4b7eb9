import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { WorkflowEntry } from '../../src/journal/read.ts';
import { readJournal } from '../../src/journal/read.ts';
import { initRoom, openRoom, type Agent, type Room } from '../../src/index.ts';
import { contextOf } from '../../src/room/room.ts';
import { runWorkflow } from '../../src/runtime.ts';
import { machine } from './ship-machine.ts';

export const MACHINE_FILE = path.join(import.meta.dirname, 'ship-machine.ts');

export interface ShippedRoom extends AsyncDisposable {
  readonly directory: string;
  readonly room: Room;
  /** Runs the workflow `ship`, or another of its machine, to its end. */
  ship(options?: { address?: string; isFileKnown?: boolean }): Promise<unknown>;
  /** Every record of these workflows, by time. */
  entries(...addresses: string[]): WorkflowEntry[];
}

/** A room in which bob answers questions. */
export async function createShippedRoom(): Promise<ShippedRoom> {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-inspect-')));
  await initRoom({ cwd: directory, limits: { rateLimit: 1000 } });
  const room = await openRoom({ cwd: directory });
  const bob = await room.join('bob');
  const over = new AbortController();
  const answering = answer(bob, over.signal);
  return {
    directory,
    room,
    ship: async ({ address = 'ship', isFileKnown = true } = {}) => {
      const result = await runWorkflow(room, machine, {
        address,
        file: isFileKnown ? MACHINE_FILE : undefined,
        onRecord: (who, record) => go(bob, who, record),
      });
      if (result.status !== 'done') throw new Error(`${address} ended as ${JSON.stringify(result)}`);
      return result.output;
    },
    entries: (...addresses) => {
      const found: WorkflowEntry[] = [];
      for (const address of addresses) readJournal(contextOf(room), address, (entry) => found.push({ address, entry }));
      return found.sort((a, b) => timeOf(a) - timeOf(b));
    },
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await answering;
      await room.close();
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A workflow that has just begun is told to go. */
function go(bob: Agent, address: string, record: object): void {
  if (!('commit' in record) || address.includes('.')) return;
  const { cause } = record.commit as { cause: { kind: string } };
  if (cause.kind === 'start') void bob.send({ to: address, type: 'GO', content: 'go on', data: { n: 5 } });
}

async function answer(bob: Agent, signal: AbortSignal): Promise<void> {
  for await (const mail of bob.inbox({ signal })) {
    if (mail.message.type === 'QUESTION') await bob.reply(mail, { type: 'INFO', content: 'fine' });
    await mail.ack();
  }
}

function timeOf({ entry }: WorkflowEntry): number {
  if ('open' in entry) return entry.open.at;
  if ('commit' in entry) return entry.commit.at;
  if ('failed' in entry) return entry.failed.at;
  return 'note' in entry ? entry.note.at : entry.performed.at;
}
