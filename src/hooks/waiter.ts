import { removeQuietly, replaceFile, stagedPath } from '../host/files.ts';
import { watchArrivals } from '../mailbox/arrivals.ts';
import { peek } from '../mailbox/status.ts';
import { cut } from '../message/cut.ts';
import { messageFileName } from '../message/layout.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import { readSignedRecord, signedRecord } from '../room/signed-record.ts';
import { WAKE_PROMPT } from './hook-event.ts';
import { HOOK_CHARS_MAX } from './mail-text.ts';
import type { Session } from './session.ts';
import { showWaiting, type Showing } from './show-waiting.ts';
import { wasShown } from './shown-mail.ts';

/** More wake-ups than this without a person's prompt mean a loop, such as two agents that thank each other. */
export const WAKES_MAX = 8;
const RECORD = 'waiter';
const LOOK_MS = 500;
const FIRST_LOOK_MS = 1_000;
const PEEKED_MAX = 100;
const TOKEN_BYTES = 16;
const QUEUE_MS_MAX = 30_000;
/** After this nobody is expected to return to the session, and its program may run forever. */
const WAIT_MS_MAX = 24 * 3_600_000;

export interface Waiter {
  /** The token of the waiting process; the newest one counts. Empty if none waits. */
  readonly token: string;
  /** How often the session was woken since a person's last prompt. */
  readonly wakes: number;
}

/** The record of the process that waits to wake the session; undefined if there was none since a person's last prompt. */
export function waiterOf(context: RoomContext, session: Session): Waiter | undefined {
  const path = session.layout.waiter;
  const fields = readSignedRecord(context, { path, record: RECORD, signer: () => session.address });
  if (fields?.['session'] !== session.key) return undefined;
  const { token, wakes } = fields;
  return typeof token === 'string' && Number.isSafeInteger(wakes) ? { token, wakes: Number(wakes) } : undefined;
}

/** Ends the waiting process and resets the count, at a person's prompt or a session's start. */
export function endWaiter({ host }: RoomContext, { layout }: Session): void {
  removeQuietly(host.files, layout.waiter);
}

/**
 * Waits for mail that the session was not shown yet, and formats it for the program. Codex is woken by a prompt instead, whose
 * hook shows the mail, so the result is undefined. Also undefined if a person's prompt, a newer waiter or the end of the
 * program came first, or the session was woken WAKES_MAX times in a row; the mail then waits.
 */
export async function waitToWake(
  context: RoomContext,
  session: Session,
  { command, cwd }: { command: string; cwd: string },
): Promise<Showing | undefined> {
  const mailbox = mailboxOf(context, session.address);
  if (!mailbox) return undefined;
  const { host } = context;
  const token = host.randomBytes(TOKEN_BYTES).toString('hex');
  const wakes = waiterOf(context, session)?.wakes ?? 0;
  if (wakes >= WAKES_MAX) return undefined;
  await writeWaiter(context, session, { token, wakes });
  const endsMs = host.clock.now() + WAIT_MS_MAX;
  const isWanted = (): boolean =>
    host.clock.now() < endsMs &&
    waiterOf(context, session)?.token === token &&
    (host.processes.isElsewhere(session.process) || host.processes.isAlive(session.process));
  const isNew = (): boolean =>
    peek(mailbox, { limit: PEEKED_MAX, unread: true }).unsettled.some(
      ({ message }) => !wasShown(context, session, messageFileName(message)),
    );
  // Mail that waits at the end of a turn is shown by the hook of that event, which runs at the same time.
  await host.clock.sleep(FIRST_LOOK_MS);
  const arrivals = watchArrivals(mailbox, { pollMs: LOOK_MS, watch: true, warn: () => {} });
  try {
    while (isWanted()) {
      if (isNew()) return await wake(context, session, { command, cwd, token, wakes });
      await arrivals.next();
    }
    return undefined;
  } finally {
    arrivals.close();
  }
}

async function wake(
  context: RoomContext,
  session: Session,
  { command, cwd, token, wakes }: { command: string; cwd: string } & Waiter,
): Promise<Showing | undefined> {
  if (session.program === 'codex') {
    // The Codex daemon would run a turn even for a session whose terminal is closed, unseen by anybody.
    if (!context.host.processes.worksIn(cwd, { name: 'codex', without: ['app-server'] })) return undefined;
    await writeWaiter(context, session, { token, wakes: wakes + 1 });
    await queuePrompt(context, session);
    return undefined;
  }
  // The program queues the text until the next call of the model.
  const showing = await showWaiting(context, session, { charsMax: HOOK_CHARS_MAX, command, isQueued: true });
  // A hook of a turn that started meanwhile was faster.
  if (showing.text === '') return undefined;
  await writeWaiter(context, session, { token, wakes: wakes + 1 });
  return showing;
}

export async function writeWaiter(context: RoomContext, session: Session, { token, wakes }: Waiter): Promise<void> {
  const { host, layout } = context;
  const { key, address } = session;
  const bytes = signedRecord(context, address, { record: RECORD, session: key, address, token, wakes });
  const staged = stagedPath(layout.tmp, host.randomBytes);
  await replaceFile(host.files, { path: session.layout.waiter, staged, bytes, mode: 0o600, durable: false });
}

/** The command `codex queue` gives a session a prompt (0.171); the hook of that prompt shows the mail. */
async function queuePrompt({ host }: RoomContext, { id }: Session): Promise<void> {
  const args = ['queue', '--thread', id, '--message', WAKE_PROMPT];
  const { exitCode, stderr } = await host.processes.run('codex', args, { timeoutMs: QUEUE_MS_MAX });
  if (exitCode !== 0)
    throw new Error(`codex queue, which wakes the session, failed: ${cut(stderr, { charsMax: 500 })}`);
}
