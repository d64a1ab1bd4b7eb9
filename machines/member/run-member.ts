import fs from 'node:fs';
import path from 'node:path';
import type { Agent, Mail, Room } from 'agent-mailroom';
import { cut } from 'agent-mailroom/workflow';
import { Answers, Claims, LEASE_MS } from './answers.ts';
import { Case, type CaseSurroundings, causeIn, questionsIn } from './case.ts';
import { deal, refuse } from './deal.ts';
import { Holding } from './holding.ts';
import type { Member } from './member.ts';
import { Mind } from './mind.ts';
import type { MemberTerms } from './terms.ts';

export interface MemberSurroundings {
  /** Ends the member and its mind. */
  readonly signal: AbortSignal;
  /** Aborts when no process carries out the run any more. */
  readonly hostGone: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * Takes part in a team until the development ends, or the signal aborts. What the mind was asked is not asked again,
 * whatever killed the process before: each message is dealt with in steps that are on the disk (see `Case`), and is
 * acknowledged when all that it causes is sent. When the host of the run has gone, it stops where it is and does not leave
 * the room, and the mind finishes the question at hand: the next host of the run goes on there. Rejects when it cannot join.
 */
export async function runMember(
  room: Room,
  terms: MemberTerms,
  { signal, hostGone, say }: MemberSurroundings,
): Promise<void> {
  const { address, directory } = terms;
  const home = path.join(directory, 'agents', address);
  const cases = path.join(home, 'cases');
  fs.mkdirSync(cases, { recursive: true });
  const leaving = new AbortController();
  const either = AbortSignal.any([signal, hostGone, leaving.signal]);
  const isLeftAlone = (): boolean => hostGone.aborted && !signal.aborted && !leaving.signal.aborted;
  await using mind = await Mind.start(room, terms, { say, isLeftAlone });
  const agent = await room.join(address, { program: cut(`member: ${terms.mind.join(' ')}`, { charsMax: 60 }) });
  await using claims = new Claims();
  const answers = new Answers(claims);
  const member: Member = { terms, home, holding: new Holding(path.join(home, 'task.json')), say };
  renewTask(agent, member.holding, either);
  forgetSettled(room, { address, cases });
  for (const name of recordsIn(cases)) {
    for (const question of questionsIn(path.join(cases, name))) answers.expect(question);
  }
  say(`${address} has joined`);
  const around: CaseSurroundings = { agent, mind: mind.address, answers, signal: either };
  const running = new Map<string, { mail: Mail; done: Promise<void> }>();

  const dealWith = async (key: string, mail: Mail): Promise<void> => {
    const one = new Case(mail.message, path.join(cases, key), around);
    let outcome = 'comes back';
    try {
      const dealt = await deal(member, one).catch(async (error: unknown) => {
        either.throwIfAborted();
        await refuse(member, one, error);
      });
      await claims.settle(running.get(key)?.mail ?? mail);
      outcome = 'is dealt with, and its record is removed later';
      if (dealt === 'leaves') leaving.abort();
      await one.close();
    } catch (error) {
      // Interrupted: it stays claimed, and whoever is started next goes on.
      if (!either.aborted) say(`${mail.message.type} of ${mail.message.from} ${outcome}: ${String(error)}`);
    } finally {
      running.delete(key);
    }
  };
  const take = async (mail: Mail): Promise<void> => {
    const { id, from, type, content } = mail.message;
    if (from === mind.address) return answers.take(mail);
    claims.keep(mail);
    const key = `${id}.${from}.json`;
    const same = running.get(key);
    // It has come back because its lease ended, while this process was stopped: it is being dealt with all the same.
    if (same) same.mail = mail;
    else {
      say(`${type} from ${from}: ${content.split('\n', 1)[0] ?? ''}`);
      const entry = { mail, done: Promise.resolve() };
      running.set(key, entry);
      entry.done = dealWith(key, mail);
    }
  };

  // What a process before this one held, in the order in which it came.
  for (const mail of agent.held()) await take(mail);
  for await (const mail of agent.inbox({ signal: either, leaseMs: LEASE_MS })) await take(mail);
  await Promise.allSettled([...running.values()].map(({ done }) => done));
  if (isLeftAlone()) return say('the host of the run is gone; the next host resumes here');
  await agent.leave();
  say(`${address} has left`);
}

/** Records of messages that were acknowledged just before a kill. */
function forgetSettled(room: Room, { address, cases }: { address: string; cases: string }): void {
  for (const name of recordsIn(cases)) {
    const file = path.join(cases, name);
    const cause = causeIn(file);
    const open = cause
      ? room
          .status(cause.id)
          .some(
            ({ recipient, from, state }) =>
              recipient === address && from === cause.from && state !== 'acknowledged' && state !== 'dead',
          )
      : false;
    if (!open) fs.rmSync(file, { force: true });
  }
}

function recordsIn(cases: string): string[] {
  return fs.readdirSync(cases).filter((name) => name.endsWith('.json'));
}

/** Well below the ten minutes for which a task is its holder's after the last message about it. */
const RENEW_EVERY_MS = 60_000;
/** A vote takes an hour at most. A task about which nothing comes of it goes to somebody else. */
const DISPUTED_RENEWALS_MAX = 90;

/** Says now and then that a task is still being worked on, also while there is a vote on it. One that is missed is nothing. */
function renewTask(agent: Agent, holding: Holding, signal: AbortSignal): void {
  let disputedRenewals = 0;
  const timer = setInterval(() => {
    const { task } = holding;
    disputedRenewals = task?.state === 'disputed' ? disputedRenewals + 1 : 0;
    const isMine =
      task?.state === 'at-work' || (task?.state === 'disputed' && disputedRenewals < DISPUTED_RENEWALS_MAX);
    if (!task || !isMine) return;
    const { taskId, epoch, distributor: to } = task;
    const letter = { to, type: 'INFO', content: `${taskId}: still at it`, data: { taskId, epoch } };
    void agent.send(letter).catch(() => {});
  }, RENEW_EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
