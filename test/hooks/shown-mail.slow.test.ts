import fs from 'node:fs';
import { expect, test } from 'vitest';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { HOOK_CHARS_MAX } from '../../src/hooks/mail-text.ts';
import { ended, openHookRoom, runningToo } from './hook-room.ts';

const MINUTE_MS = 60_000;

/** How often the text has the words. */
function times(text: string, words: string): number {
  return text.split(words).length - 1;
}

test('a session joins under the first free address, and keeps it when it resumes', async () => {
  await using room = await openHookRoom();
  expect(await room.session('one').fire('SessionStart')).toContain('this session is claude-1 in the room');
  const other = room.session('two', { process: runningToo() });
  expect(await other.fire('SessionStart')).toContain('this session is claude-2 in');
  expect(await room.session('one').fire('SessionStart', { source: 'resume' })).toContain('this session is claude-1 in');
  expect(room.zoo.room.actors().map(({ card }) => card.address)).toEqual(['alice', 'bob', 'claude-1', 'claude-2']);
});

test('MAILROOM_AS sets the address of a session, even if that address has joined by hand', async () => {
  await using room = await openHookRoom();
  const env = { MAILROOM_AS: 'bob' };
  expect(await room.session('one', { env }).fire('SessionStart')).toContain('this session is bob in the room');
  await room.send('for bob', 'bob');
  expect(await room.session('one', { env }).fire('UserPromptSubmit')).toContain('for bob');
});

test('a resumed session does not take back an address that another live session has', async () => {
  await using room = await openHookRoom();
  await room.session('one', { process: ended() }).fire('SessionStart');
  await room.session('two', { process: runningToo() }).fire('SessionStart');
  const text = await room.session('one').fire('SessionStart', { source: 'resume' });
  expect(text).toContain('this session is claude-2 in');
});

// Shown mail is acknowledged by the next hook that proves that the model has run since, and by no other.
const PROOFS = [
  // See interrupted-prompt.test.ts.
  { first: 'UserPromptSubmit', next: 'UserPromptSubmit', isAcknowledged: false },
  { first: 'UserPromptSubmit', next: 'PostToolBatch', isAcknowledged: true },
  { first: 'UserPromptSubmit', next: 'Stop', isAcknowledged: true },
  { first: 'UserPromptSubmit', next: 'SessionStart', isAcknowledged: false },
  { first: 'UserPromptSubmit', next: 'SessionEnd', isAcknowledged: false },
  { first: 'PostToolBatch', next: 'PostToolBatch', isAcknowledged: true },
  { first: 'PostToolBatch', next: 'Stop', isAcknowledged: true },
  { first: 'PostToolBatch', next: 'UserPromptSubmit', isAcknowledged: true },
  { first: 'Stop', next: 'Stop', isAcknowledged: true },
  { first: 'Stop', next: 'UserPromptSubmit', isAcknowledged: true },
  { first: 'SessionStart', next: 'UserPromptSubmit', isAcknowledged: false },
  { first: 'SessionStart', next: 'Stop', isAcknowledged: false },
  { first: 'SessionStart', next: 'SessionStart', isAcknowledged: false },
] as const;

test.each(PROOFS)('mail shown at $first is acknowledged at $next: $isAcknowledged', async (proof) => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.send('the port?');
  expect(times(await fire(proof.first), 'the port?')).toBe(1);
  expect(room.names('claude-1', 'done')).toEqual([]);
  await fire(proof.next);
  expect(room.names('claude-1', 'done')).toHaveLength(proof.isAcknowledged ? 1 : 0);
});

test('mail shown at a start is acknowledged by the second event after it, because the first may come before the model runs', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.send('the port?');
  await fire('SessionStart', { source: 'compact' });
  await fire('UserPromptSubmit');
  expect(room.names('claude-1', 'done')).toEqual([]);
  await fire('Stop');
  expect(room.names('claude-1', 'done')).toHaveLength(1);
});

test('a start shows unacknowledged mail again, and an undisturbed session is shown nothing twice', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.send('the port?');
  const texts = [await fire('UserPromptSubmit')];
  for (let tool = 0; tool < 5; tool++) texts.push(await fire('PostToolBatch'));
  texts.push(await fire('Stop'), await fire('UserPromptSubmit'));
  expect(times(texts.join(''), 'the port?')).toBe(1);
  await room.send('and the host?');
  expect(await fire('UserPromptSubmit')).toContain('and the host?');
  expect(await fire('SessionStart', { source: 'compact' })).toContain('and the host?');
});

test('concurrent hooks of one message of the model show mail once, and acknowledge none', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one', { program: 'codex' });
  await fire('SessionStart');
  await room.send('the port?', 'codex-1');
  const texts = await Promise.all(Array.from({ length: 8 }, () => fire('PostToolUse')));
  expect(times(texts.join(''), 'the port?')).toBe(1);
  await fire('PostToolUse');
  expect(room.names('codex-1', 'done')).toEqual([]);
  await fire('Stop');
  expect(room.names('codex-1', 'done')).toHaveLength(1);
});

test('a turn is continued at its end while mail waits, but never twice in a row', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  expect(await fire('Stop')).toBe('');
  await room.send('first');
  expect(await fire('Stop')).toContain('first');
  await room.send('second');
  expect(await fire('Stop', { stop_hook_active: true })).toBe('');
  expect(room.names('claude-1', 'new')).toHaveLength(1);
  expect(await fire('UserPromptSubmit')).toContain('second');
});

test('a hook in the turn of a subagent shows and acknowledges nothing', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.send('the port?');
  await fire('UserPromptSubmit');
  await room.send('and the host?');
  for (const name of ['PostToolBatch', 'Stop', 'SessionStart', 'SessionEnd']) {
    expect(await fire(name, { agent_id: 'sub', agent_type: 'general' })).toBe('');
  }
  expect([room.names('claude-1', 'new'), room.names('claude-1', 'done')]).toEqual([[expect.any(String)], []]);
});

test.each(['reply', 'ack', 'release'] as const)(
  'a claim that the agent dealt with by %s is passed over',
  async (how) => {
    await using room = await openHookRoom();
    const { fire } = room.session('one');
    await fire('SessionStart');
    const id = await room.send('the port?');
    await fire('UserPromptSubmit');
    await using agent = room.zoo.room.agent('claude-1');
    const mail = await agent.claim(id);
    if (how === 'release') await mail.release();
    else {
      if (how === 'reply') await agent.reply(mail, { type: 'INFO', content: '8080' });
      await mail.ack();
    }
    // A released message waits like any other mail.
    expect(times(await fire('Stop'), 'the port?')).toBe(how === 'release' ? 1 : 0);
    expect(room.names('claude-1', 'done')).toHaveLength(how === 'release' ? 0 : 1);
  },
);

test('a claim that the agent made, renewed or took over itself is not acknowledged', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await using agent = room.zoo.room.agent('claude-1');
  // Made by the agent: read --hold.
  const held = await agent.claim(await room.send('held'));
  // Renewed by the agent, which is going to work on it.
  const renewed = await room.send('renewed');
  await fire('UserPromptSubmit');
  room.clock.advance(1);
  await (await agent.claim(renewed)).renew();
  // Taken over by another reader after the lease.
  await room.send('taken over');
  await fire('PostToolBatch');
  room.clock.advance(31 * MINUTE_MS);
  const taken: string[] = [];
  for await (const mail of agent.inbox({ wait: false })) taken.push(mail.message.content);
  expect(taken).toContain('taken over');
  await fire('Stop');
  await fire('Stop');
  expect(room.names('claude-1', 'done')).toEqual([]);
  expect(held.message.content).toBe('held');
});

test('a long tool call loses no mail of its session: each hook renews the lease, and an expired one that nobody took still counts', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.send('the port?');
  await fire('UserPromptSubmit');
  room.clock.advance(90 * MINUTE_MS);
  expect(await fire('Stop')).toBe('');
  expect(room.names('claude-1', 'done')).toHaveLength(1);
});

test('the end of a session releases its shown mail, and the next session of the address is shown it', async () => {
  await using room = await openHookRoom();
  const one = room.session('one');
  await one.fire('SessionStart');
  await room.send('the port?');
  await one.fire('UserPromptSubmit');
  await one.fire('SessionEnd');
  expect(fs.readdirSync(`${room.zoo.directory}/sessions`)).toEqual([]);
  expect(room.zoo.room.actors().find(({ card }) => card.address === 'claude-1')?.live).toBe(false);
  expect(await room.session('two').fire('SessionStart')).toContain('the port?');
});

test('the session after a killed one is shown its mail at once', async () => {
  await using room = await openHookRoom();
  const one = room.session('one', { process: ended() });
  await one.fire('SessionStart');
  await room.send('the port?');
  await one.fire('UserPromptSubmit');
  const text = await room.session('two').fire('SessionStart');
  expect([times(text, 'this session is claude-1 in'), times(text, 'the port?')]).toEqual([1, 1]);
});

test('mail claimed by a hook that died before it recorded it is shown again after a minute', async () => {
  await using room = await openHookRoom();
  const { fire, fireAndDie } = room.session('one');
  await fire('SessionStart');
  await room.send('the port?');
  expect(await fireAndDie('UserPromptSubmit')).toContain('the port?');
  expect(await fire('Stop')).toBe('');
  expect(room.names('claude-1', 'done')).toEqual([]);
  room.clock.advance(MINUTE_MS + 1);
  expect(await fire('UserPromptSubmit')).toContain('the port?');
});

class Killed extends Error {}

const CHANGES = ['write', 'link', 'unlink', 'rename', 'mkdir', 'rmdir', 'truncate'] as const;

/** A file system that stops answering at the nth change, as for a process killed there. */
function dyingAt(n: number): { files: FileSystem; changes: () => number } {
  let changes = 0;
  const files: Record<string, unknown> = { ...nodeHost.files };
  for (const name of CHANGES) {
    files[name] = (...args: never[]): unknown => {
      changes += 1;
      if (changes >= n) throw new Killed();
      return Reflect.apply(nodeHost.files[name], nodeHost.files, args);
    };
  }
  return { files: files as unknown as FileSystem, changes: () => changes };
}

const FATAL = ['SessionStart', 'UserPromptSubmit', 'PostToolBatch', 'Stop', 'SessionEnd'];

test('a hook that is killed at any change loses nothing, and acknowledges nothing that the model was not given', async () => {
  let kills = 0;
  for (const fatal of FATAL) {
    for (let n = 1; ; n++) {
      await using room = await openHookRoom();
      const { fire } = room.session('one');
      await fire('SessionStart');
      await room.send('before');
      const given = [await fire('UserPromptSubmit')];
      await room.send('during');
      const { files, changes } = dyingAt(n);
      const dying = room.session('one', { files });
      given.push(await dying.fire(fatal).catch(() => ''));
      if (changes() < n) break;
      kills += 1;
      const undone = room.names('claude-1', 'done');
      const isGiven = (content: string): boolean => given.join('').includes(content);
      expect(undone.length, `${fatal} at ${n}`).toBeLessThanOrEqual(['before', 'during'].filter(isGiven).length);
      // Whatever the hook left behind, a later session is shown everything that is not acknowledged.
      room.clock.advance(31 * MINUTE_MS);
      const next = room.session('two', { env: { MAILROOM_AS: 'claude-1' } });
      const texts = [await next.fire('SessionStart'), await next.fire('UserPromptSubmit'), await next.fire('Stop')];
      await next.fire('Stop');
      for (const content of ['before', 'during']) {
        const name = `${fatal} at ${n}: ${content}`;
        expect(isGiven(content) || texts.join('').includes(content), name).toBe(true);
      }
      expect(room.names('claude-1', 'done'), `${fatal} at ${n}`).toHaveLength(2);
    }
  }
  console.log(`${kills} kills of ${FATAL.length} hooks`);
});

test('a hook shows at most 10,000 characters; mail that does not fit waits, and is counted', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  for (let number = 0; number < 20; number++) await room.send(`${number} ${'x'.repeat(2_000)}`);
  const text = await fire('UserPromptSubmit');
  expect(text.length).toBeLessThanOrEqual(HOOK_CHARS_MAX);
  const shown = times(text, 'From alice, ');
  expect(text).toContain(`${20 - shown} more for claude-1; mailroom read prints the next.`);
  expect([shown, room.names('claude-1', 'new').length]).toEqual([4, 16]);
});

test('a message that is too long is cut and not acknowledged, and the command that prints all of it works', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  const id = await room.send(`begin ${'x'.repeat(50_000)} end`);
  const text = await fire('UserPromptSubmit');
  expect(text.length).toBeLessThanOrEqual(HOOK_CHARS_MAX);
  expect(text).toContain(`mailroom read ${id.slice(-8)} --all prints the whole message.`);
  expect([text.includes('begin'), text.includes('end'.padStart(4))]).toEqual([true, false]);
  expect([await fire('Stop'), await fire('UserPromptSubmit'), await fire('Stop')]).toEqual(['', '', '']);
  expect(room.names('claude-1', 'done')).toEqual([]);
});

test('an agent that has left by hand is shown nothing until a session starts', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.zoo.room.agent('claude-1').leave();
  await room.send('the port?');
  expect(await fire('UserPromptSubmit')).toBe('');
  expect(await fire('SessionStart')).toContain('the port?');
});

test('a session record that its address did not sign gives nobody that address', async () => {
  await using room = await openHookRoom('ed25519');
  const { fire } = room.session('one');
  await fire('SessionStart');
  const record = `${room.zoo.directory}/sessions/claude-one/session.json`;
  const forged = fs.readFileSync(record, 'utf8').replace('"address":"claude-1"', '"address":"bob"');
  fs.writeFileSync(record, forged);
  await room.send('for bob', 'bob');
  expect(await fire('UserPromptSubmit')).not.toContain('for bob');
  expect(room.names('bob', 'new')).toHaveLength(1);
});

// Programs that behave differently, observed with Gemini CLI 0.61 and opencode 1.18.

test('a turn of Gemini in which its model said nothing acknowledges nothing and is not continued', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one', { program: 'gemini' });
  await fire('SessionStart', { source: 'startup' });
  await room.send('the port?', 'gemini-1');
  await fire('BeforeAgent');
  await room.send('and the host?', 'gemini-1');
  expect(await fire('AfterAgent', { prompt_response: '[no response text]' })).toBe('');
  expect([room.names('gemini-1', 'done'), room.names('gemini-1', 'new').length]).toEqual([[], 1]);
});

test.each(['gemini', 'opencode'])(
  'what keeps a session of %s going comes to its model as a prompt, which does not prove that it has run',
  async (program) => {
    await using room = await openHookRoom();
    const { fire } = room.session('one', { program });
    const names =
      program === 'gemini'
        ? ['SessionStart', 'BeforeAgent', 'AfterAgent']
        : ['session.start', 'chat.message', 'session.idle'];
    const [start = '', prompt = '', end = ''] = names;
    await fire(start, { source: 'startup' });
    await fire(prompt);
    await room.send('the port?', `${program}-1`);
    expect(await fire(end)).toContain('the port?');
    expect(await fire(prompt, { prompted_by: 'mailroom' })).toBe('');
    expect(room.names(`${program}-1`, 'done')).toEqual([]);
    expect(await fire(end, { stop_hook_active: true })).toBe('');
    expect(room.names(`${program}-1`, 'done')).toHaveLength(1);
  },
);

test.each(['clear', 'resume'])(
  'a session of Gemini that starts by %s is told who it is at its next prompt, where its model hears it',
  async (source) => {
    await using room = await openHookRoom();
    const { fire } = room.session('one', { program: 'gemini' });
    await room.zoo.room.join('gemini-1', { process: ended() });
    await room.send('the port?', 'gemini-1');
    expect(await fire('SessionStart', { source })).toBe('');
    const text = await fire('BeforeAgent', { prompt: 'hello' });
    expect([times(text, 'this session is gemini-1 in'), times(text, 'the port?')]).toEqual([1, 1]);
    expect(await fire('AfterAgent')).toBe('');
    expect(await fire('BeforeAgent', { prompt: 'go on' })).toBe('');
    expect(room.names('gemini-1', 'done')).toHaveLength(1);
  },
);

test('from the start of a subagent of Gemini to the end of the turn, hooks show and acknowledge nothing', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one', { program: 'gemini' });
  await fire('SessionStart', { source: 'startup' });
  await fire('BeforeAgent');
  await fire('BeforeTool', { tool_name: 'invoke_agent' });
  await room.send('the port?', 'gemini-1');
  expect(await fire('AfterTool', { tool_name: 'read_file' })).toBe('');
  expect(await fire('AfterTool', { tool_name: 'invoke_agent' })).toBe('');
  expect(room.names('gemini-1', 'new')).toHaveLength(1);
  expect(await fire('AfterAgent')).toContain('the port?');
});

test('a session whose hooks were added while it ran joins at its next prompt, not at the end of a turn', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  expect(await fire('Stop')).toBe('');
  expect(await fire('UserPromptSubmit')).toContain('this session is claude-1 in');
});

test('a hook whose answer no model reads joins nobody and shows nothing', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one', { program: 'gemini' });
  await room.zoo.room.join('gemini-1', { process: ended() });
  await room.send('the port?', 'gemini-1');
  expect(await fire('BeforeTool', { tool_name: 'invoke_agent' })).toBe('');
  expect(room.names('gemini-1', 'new')).toHaveLength(1);
});

test('an ended session is forgotten after a month, and its shown mail is released', async () => {
  await using room = await openHookRoom();
  const old = room.session('old', { process: ended() });
  await old.fire('SessionStart');
  await room.send('the port?');
  await old.fire('UserPromptSubmit');
  const sessions = `${room.zoo.directory}/sessions`;
  fs.utimesSync(`${sessions}/claude-old/session.json`, 0, 0);
  expect(await room.session('new', { env: { MAILROOM_AS: 'bob' } }).fire('SessionStart')).toContain('is bob in');
  expect(fs.readdirSync(sessions)).toEqual(['claude-new']);
  expect(await room.session('next').fire('SessionStart')).toContain('the port?');
});
