import { expect, test } from 'vitest';
import { parseHookEvent } from '../../src/hooks/hook-event.ts';
import { lookQuickly } from '../../src/hooks/quick-look.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openHookRoom, running } from './hook-room.ts';

// Claude Code 2.1.332: Esc before the answer calls no hook, puts the prompt back into its box, and takes what hooks said beside it
// out of the conversation. Gemini CLI 0.61 takes it out as well, and calls AfterAgent.
test('mail of a prompt that a person takes back is shown with the next one, however often', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.send('the port?');
  for (let tried = 0; tried < 3; tried++) {
    expect(await fire('UserPromptSubmit')).toContain('the port?');
    expect(room.names('claude-1', 'done')).toEqual([]);
  }
  expect(await fire('Stop')).toBe('');
  expect(room.names('claude-1', 'done')).toHaveLength(1);
  expect(await fire('UserPromptSubmit')).toBe('');
});

test('in Gemini CLI an interrupted turn is taken back as a whole, with the mail shown after its tool calls', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one', { program: 'gemini' });
  await fire('SessionStart', { source: 'startup' });
  await room.send('the port?', 'gemini-1');
  expect(await fire('BeforeAgent')).toContain('the port?');
  expect(await fire('AfterAgent', { prompt_response: '[no response text]' })).toBe('');
  expect(await fire('BeforeAgent')).toContain('the port?');
  await room.send('the host?', 'gemini-1');
  expect(await fire('AfterTool', { tool_name: 'read_file' })).toContain('the host?');
  expect(await fire('AfterAgent', { prompt_response: '[no response text]' })).toBe('');
  const text = await fire('BeforeAgent');
  expect([text.includes('the port?'), text.includes('the host?')]).toEqual([true, true]);
  expect(await fire('AfterAgent')).toBe('');
  expect(room.names('gemini-1', 'done')).toHaveLength(2);
});

test('mail shown between two prompts is not taken back with the first', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.send('the port?');
  expect(await fire('UserPromptSubmit')).toContain('the port?');
  await room.send('the host?');
  expect(await fire('PostToolBatch')).toContain('the host?');
  expect(await fire('UserPromptSubmit')).toBe('');
  expect(room.names('claude-1', 'cur')).toEqual([]);
});

test.each(['codex', 'gemini'])(
  'a tool call says that the model has run with the prompt before: %s',
  async (program) => {
    await using room = await openHookRoom();
    const { fire } = room.session('one', { program });
    const [prompt, tool] = program === 'codex' ? ['UserPromptSubmit', 'PostToolUse'] : ['BeforeAgent', 'AfterTool'];
    await fire('SessionStart', { source: 'startup' });
    await room.send('the port?', `${program}-1`);
    expect(await fire(prompt ?? '')).toContain('the port?');
    expect(await fire(tool ?? '')).toBe('');
    expect(await fire(prompt ?? '')).toBe('');
    expect(room.names(`${program}-1`, 'done')).toHaveLength(1);
  },
);

test('a prompt without mail takes no mail back, and a start resets the state', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await fire('UserPromptSubmit');
  await room.send('the port?');
  expect(await fire('UserPromptSubmit')).toContain('the port?');
  expect(await fire('SessionStart', { source: 'compact' })).toContain('the port?');
  expect(await fire('UserPromptSubmit')).toBe('');
  expect(await fire('Stop')).toBe('');
  expect(room.names('claude-1', 'done')).toHaveLength(1);
});

test.each([
  ['claude', 'prompt_id'],
  ['codex', 'turn_id'],
])('a prompt typed while the turn runs takes nothing back and proves nothing: %s', async (program, field) => {
  await using room = await openHookRoom();
  const { fire } = room.session('one', { program });
  await fire('SessionStart');
  await room.send('the port?', `${program}-1`);
  expect(await fire('UserPromptSubmit', { [field]: 'a' })).toContain('the port?');
  await room.send('the host?', `${program}-1`);
  const text = await fire('UserPromptSubmit', { [field]: 'a' });
  expect([text.includes('the port?'), text.includes('the host?')]).toEqual([false, true]);
  expect(room.names(`${program}-1`, 'done')).toEqual([]);
  // The end of the turn before: what was shown beside the second prompt goes to the model behind it.
  await fire('Stop', { [field]: 'a' });
  expect(room.names(`${program}-1`, 'done')).toHaveLength(1);
  await fire('Stop', { [field]: 'b' });
  expect(room.names(`${program}-1`, 'done')).toHaveLength(2);
});

test('the same holds if the first prompt found no mail, and loaded nothing that mail needs', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  const look = (name: string): string => {
    const event = parseHookEvent(JSON.stringify({ session_id: 'one', prompt_id: 'a' }), { program: 'claude', name });
    const host = { ...nodeHost, processes: { ...nodeHost.processes, parent: () => running() } };
    return lookQuickly(host, event, { named: room.zoo.directory, cwd: '/' });
  };
  expect(look('UserPromptSubmit')).toBe('nothing-new');
  await room.send('the port?');
  expect(await fire('UserPromptSubmit', { prompt_id: 'a' })).toContain('the port?');
  await fire('Stop', { prompt_id: 'a' });
  expect(room.names('claude-1', 'done')).toEqual([]);
  await fire('Stop', { prompt_id: 'b' });
  expect(room.names('claude-1', 'done')).toHaveLength(1);
  // The quick look removes the mark as well.
  expect([look('UserPromptSubmit'), look('Stop')]).toEqual(['nothing-new', 'nothing-new']);
  await room.send('the host?');
  await fire('UserPromptSubmit', { prompt_id: 'a' });
  await fire('Stop', { prompt_id: 'a' });
  expect(room.names('claude-1', 'done')).toHaveLength(2);
});
