import { describe, expect, it } from 'vitest';
import type { Answer, ModelRequest } from '../../fixtures/agents/models/model-server.ts';
import { logged } from '../hostile/zoo-room.ts';
import { expectSettled, openSession, running, showings } from './hooked-session.ts';
import { claude } from './programs/claude.ts';
import { codex } from './programs/codex.ts';
import { gemini } from './programs/gemini.ts';
import type { HookedProgram } from './programs/program.ts';
import { openSharedRoom } from './real-room.ts';
import { outcome } from './table.ts';

const THREE = [claude, codex, gemini];
const ASK = 'please-ask-the-others';
const GREEN = 'the-tests-are-green';
const WRITTEN = 'the-page-is-written';

describe('claude', () => {
  it('by hooks: asks Codex and Gemini CLI', async (context) => {
    await using shared = await openSharedRoom(THREE, context);
    const [asker, idle, waiting] = [shared.of(claude), shared.of(codex), shared.of(gemini)];
    const { room, env, place } = asker;
    for (const program of THREE) {
      program.terminal.setUp(place);
      program.hooks.allowCommands(place);
    }
    const added = await room.cli.run(['hooks', 'add', 'claude', 'codex', 'gemini'], { env });
    expect(added.code, added.stderr).toBe(0);

    const answerer = (program: HookedProgram, reply: string): ((request: ModelRequest) => Answer) => {
      const replied = new Set<string>();
      return (request) => {
        const id = /From claude-1, QUESTION, (\w+), verified/.exec(JSON.stringify(request.body))?.[1];
        if (id === undefined || replied.has(id)) return { text: `reply ${request.number}` };
        replied.add(id);
        return program.hooks.runs(`${commandIn(request)} reply ${id} INFO ${reply}`);
      };
    };
    idle.model.answer(answerer(codex, GREEN));
    const answerOfGemini = answerer(gemini, WRITTEN);
    waiting.model.answer((request) =>
      request.number === 1
        ? gemini.hooks.runs(`${commandIn(request)} inbox --wait 10m --headers`)
        : answerOfGemini(request),
    );
    asker.model.answer((request) => {
      if (request.number > 1) return { text: `reply ${request.number}` };
      const send = `${commandIn(request)} send`;
      return claude.hooks.runs(`${send} codex-1 QUESTION 'Are they?' && ${send} gemini-1 QUESTION 'Is it?'`);
    });

    // From here on nobody touches a keyboard: each session is given its one prompt when it is opened.
    await using second = await openSession(codex, idle, { prompt: 'good-morning' });
    await second.idleAfter('reply 1');
    await using third = await openSession(gemini, waiting, { prompt: 'good-morning' });
    await third.terminal.until('it waits for mail', () => running(waiting, / inbox --wait 10m/).length > 0);
    await using first = await openSession(claude, asker, { prompt: ASK });
    await first.terminal.until('both answers are there', () =>
      [GREEN, WRITTEN].every((reply) => asker.model.requests.some((one) => showings(one, reply) > 0)),
    );
    const last = await first.asked(1);
    expect([showings(last, GREEN), showings(last, WRITTEN)]).toEqual([1, 1]);

    const sent = logged(room.cli.room, 'sent') as { id: string; to: string[]; from: string }[];
    expect(new Set(sent.map(({ from, to }) => `${from} to ${to[0]}`))).toEqual(
      new Set(['claude-1 to codex-1', 'claude-1 to gemini-1', 'codex-1 to claude-1', 'gemini-1 to claude-1']),
    );
    expect(sent).toHaveLength(4);
    for (const { id } of sent) await first.acknowledged(id);
    for (const { id, to } of sent) await expectSettled(asker, to[0] ?? '', id);
    // The person typed once; all else was said by hooks.
    expect(last.texts.filter((text) => text.includes(ASK))).toHaveLength(1);
    outcome(context, 'both answers without a key pressed, once each');
  });
});

/** How the session's introduction says that the command is called. */
function commandIn({ body }: ModelRequest): string {
  const [, command] = /Commands: (mailroom(?: --as [\w-]+)?) agents/.exec(JSON.stringify(body)) ?? [];
  if (command === undefined) throw new Error('the session was not introduced');
  return command;
}
