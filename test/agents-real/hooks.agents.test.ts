import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ModelRequest } from '../../fixtures/agents/models/model-server.ts';
import { until } from '../hostile/until.ts';
import { logged } from '../hostile/zoo-room.ts';
import { addHooks, expectSettled, openSession, showings, waiters, type HookedSession } from './hooked-session.ts';
import { claude } from './programs/claude.ts';
import { PROGRAMS } from './programs.ts';
import { killAll, openRealRoom, type RealRoom } from './real-room.ts';
import { outcome } from './table.ts';
import { PATIENCE_MS } from './terminal.ts';

interface SessionStatus {
  readonly address: string;
  readonly unread: number;
  readonly wakes: number;
  readonly isWokenNoMore: boolean;
}

const CONTENT = 'the-tests-pass-now';
const LINE = 'a line that the person has half typed';
const UNTIL_GO = 'touch started; until [ -e go ]; do sleep 0.1; done';

describe.each(PROGRAMS.map((program) => [program.preset, program] as const))('%s', (preset, program) => {
  const address = `${preset}-1`;
  const { wakes } = program.hooks;

  it('by hooks: mail while it is idle', async (context) => {
    await using real = await openRealRoom(program, context);
    await addHooks(program, real);
    await using session = await openSession(program, real, { prompt: 'good-morning' });
    await session.asked(1);
    await session.idleAfter('reply 1');
    const id = await real.room.send(address, 'INFO', CONTENT);
    if (!wakes) await session.prompt('good-evening');
    const second = await session.asked(2);
    expect(showings(second, CONTENT)).toBe(1);
    expect(second.texts.some((text) => text.includes('good-evening'))).toBe(!wakes);
    await session.acknowledged(id);
    await session.prompt('good-night');
    expect(showings(await session.asked(3), CONTENT)).toBe(1);
    await expectSettled(real, address, id);
    outcome(context, wakes ? 'woken; once' : 'not woken; in the next prompt, once');
  });

  it('by hooks: mail while a tool runs', async (context) => {
    await using real = await openRealRoom(program, context);
    await addHooks(program, real);
    program.hooks.allowCommands(real.place);
    real.model.answer(({ number }) => (number === 1 ? program.hooks.runs(UNTIL_GO) : { text: `reply ${number}` }));
    await using session = await openSession(program, real, { prompt: 'please-wait' });
    await session.terminal.until('the tool runs', () => fs.existsSync(path.join(real.place.project, 'started')));
    const id = await real.room.send(address, 'INFO', CONTENT);
    fs.writeFileSync(path.join(real.place.project, 'go'), '');
    expect(showings(await session.asked(2), CONTENT)).toBe(1);
    await session.acknowledged(id);
    await session.prompt('good-night');
    expect(showings(await session.asked(3), CONTENT)).toBe(1);
    await expectSettled(real, address, id);
    outcome(context, 'in the next request of the turn, once');
  });

  it('by hooks: mail while it asks for a permission', async (context) => {
    await using real = await openRealRoom(program, context);
    await addHooks(program, real);
    let ask = (): void => {};
    const asked = new Promise<void>((resolve) => (ask = resolve)).then(() => program.terminal.asks);
    real.model.answer(({ number }) => (number === 2 ? asked : { text: `reply ${number}` }));
    await using session = await openSession(program, real, { prompt: 'good-morning' });
    await session.asked(1);
    await session.idleAfter('reply 1');
    await session.prompt('please-make-the-file');
    // Enter is pressed by now, so that none of it can answer the dialog.
    ask();
    const { terminal } = session;
    await terminal.see('it asks', program.terminal.dialog);
    await terminal.until('nothing waits any more to wake it', () => waiters(real).length === 0);
    await real.room.send(address, 'INFO', CONTENT);
    await until('the nudge is over', () => logged(real.room.cli.room, 'nudged').length > 0, PATIENCE_MS);
    await terminal.select(program.terminal.select);
    expect(terminal.screen()).toMatch(program.terminal.dialog);
    expect(fs.existsSync(path.join(real.place.project, 'made.txt'))).toBe(false);
    expect(real.model.requests).toHaveLength(2);
    outcome(context, 'still asks; the mail waits');
  });

  it('by hooks: mail while a line is half typed', async (context) => {
    await using real = await openRealRoom(program, context);
    await addHooks(program, real);
    await using session = await openSession(program, real, { prompt: 'good-morning' });
    await session.asked(1);
    await session.idleAfter('reply 1');
    const { terminal } = session;
    await terminal.type(LINE);
    const id = await real.room.send(address, 'INFO', CONTENT);
    if (wakes) await session.acknowledged(id);
    else await until('the nudge is over', () => logged(real.room.cli.room, 'nudged').length > 0, PATIENCE_MS);
    expect(terminal.screen()).toContain(LINE);
    const before = real.model.requests.length;
    expect(before).toBe(wakes ? 2 : 1);
    await terminal.enterUntil(() => real.model.requests.length > before);
    const last = await session.asked(before + 1);
    expect(last.texts.map((text) => text.trim())).toContain(LINE);
    expect(showings(last, CONTENT)).toBe(1);
    outcome(context, wakes ? 'woken, line untouched' : 'line untouched; in its request');
  });

  it('by hooks: killed after it was shown mail', async (context) => {
    await using real = await openRealRoom(program, context);
    await addHooks(program, real);
    program.hooks.allowCommands(real.place);
    real.model.answer(({ number }) => {
      if (number === 1) return program.hooks.runs(UNTIL_GO);
      return number === 2 ? new Promise(() => {}) : { text: `reply ${number}` };
    });
    let id: string;
    {
      await using session = await openSession(program, real, { prompt: 'please-wait' });
      await session.terminal.until('the tool runs', () => fs.existsSync(path.join(real.place.project, 'started')));
      id = await real.room.send(address, 'INFO', CONTENT);
      fs.writeFileSync(path.join(real.place.project, 'go'), '');
      expect(showings(await session.asked(2), CONTENT)).toBe(1);
      await session.terminal.until(
        'the hook has noted what it showed',
        () => shownFiles(real.room.cli.room).length > 0,
      );
      await killAll(real.place);
    }
    expect(await real.room.state(id)).toBe('claimed');
    await using next = await openSession(program, real, { prompt: 'good-morning' });
    expect(showings(await next.asked(3), CONTENT)).toBe(1);
    await next.idleAfter('reply 3');
    await next.acknowledged(id);
    await expectSettled(real, address, id);
    outcome(context, 'the next session is shown it');
  });
});

describe('claude', () => {
  it('by hooks: claude -p', async (context) => {
    await using real = await openRealRoom(claude, context);
    await addHooks(claude, real);
    const { room, env, model } = real;
    const ran = await room.cli.shell('claude -p good-morning', { env });
    expect(ran).toMatchObject({ code: 0, stdout: 'reply 1\n' });
    expect(JSON.stringify(model.requests[0]?.body)).toContain('this session is claude-1 in the room');
    expect(waiters(real)).toEqual([]);
    expect(logged(room.cli.room, 'left')).toMatchObject([{ from: 'claude-1' }]);
    outcome(context, 'joins, answers, ends');
  });

  it('by hooks: mailroom agent in the same project', async (context) => {
    await using real = await openRealRoom(claude, context);
    await addHooks(claude, real);
    await real.start();
    expect(await real.room.ask('bob', 'How are you?')).toMatchObject({ from: 'bob', content: 'reply 1' });
    expect(JSON.stringify(real.model.requests)).not.toContain('this session is');
    expect(logged(real.room.cli.room, 'joined').map(({ from }) => from)).toEqual(['alice', 'bob']);
    outcome(context, 'undisturbed: its session does not join');
  });

  it('by hooks: two that thank each other', async (context) => {
    await using real = await openRealRoom(claude, context);
    await addHooks(claude, real);
    claude.hooks.allowCommands(real.place);
    const answered = new Set<string>();
    let isBegun = false;
    let isOver = false;
    real.model.answer(({ body, number }) => {
      const shown = JSON.stringify(body);
      if (!isBegun && shown.includes('please-say-hello')) {
        isBegun = true;
        return claude.hooks.runs('mailroom send claude-2 INFO Hello.');
      }
      const id = [...shown.matchAll(/From claude-[12], \w+, (\w+), verified/g)].find(
        ([, one = '']) => !answered.has(one),
      )?.[1];
      if (id === undefined || isOver) return { text: `reply ${number}` };
      answered.add(id);
      return claude.hooks.runs(`mailroom reply ${id} INFO Thanks.`);
    });
    await using first = await openSession(claude, real, { prompt: 'good-morning' });
    await first.idleAfter('reply 1');
    await using second = await openSession(claude, real, { prompt: 'good-morning' });
    await second.idleAfter('reply 2');
    await first.prompt('please-say-hello');
    const stopped = await wokenNoMore(real, { 'claude-1': first, 'claude-2': second });
    expect(stopped.status.wakes).toBe(8);
    isOver = true;
    const { terminal } = stopped.session;
    await terminal.type('what-is-new');
    // The other one may have something to say at the same time.
    const asked = (): ModelRequest | undefined =>
      real.model.requests.find(({ texts }) => texts.some((text) => text.includes('what-is-new')));
    await terminal.enterUntil(() => asked() !== undefined);
    // Each message that was ever sent to it is in its conversation, once.
    const sent = logged(real.room.cli.room, 'sent').filter(({ to }) => (to as string[])[0] === stopped.status.address);
    expect(asked()).toSatisfy((last: ModelRequest) => showings(last, '(?:Hello|Thanks)') === sent.length);
    expect(sent.length).toBeGreaterThan(8);
    outcome(context, 'not woken after 8 times; the next prompt shows what waits');
  });
});

/** Waits until mail is there for an idle session that is not woken any more. */
async function wokenNoMore(
  { room }: RealRoom,
  sessions: Readonly<Record<string, HookedSession>>,
): Promise<{ status: SessionStatus; session: HookedSession }> {
  for (;;) {
    const { sessions: listed } = (await room.cli.json(['hooks', 'status'])) as { sessions: SessionStatus[] };
    const status = listed.find(({ isWokenNoMore, unread }) => isWokenNoMore && unread > 0);
    const session = status && sessions[status.address];
    // The end of a turn still shows what came in it.
    if (status && session && !/esc to interrupt/.test(session.terminal.screen())) return { status, session };
  }
}

/** What sessions were shown and have not acknowledged. */
function shownFiles(room: string): string[] {
  return fs
    .readdirSync(path.join(room, 'sessions'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('/shown/'));
}
