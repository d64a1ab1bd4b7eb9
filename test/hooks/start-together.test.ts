// Gemini CLI starts the hooks of a session and of the prompt on its command line at the same time (0.61): both introduced it. What the first one
// says may come to the model behind its first request.
import { expect, it } from 'vitest';
import { openHookRoom } from './hook-room.ts';

it.each([
  ['the start first', ['SessionStart', 'BeforeAgent']],
  ['the prompt first', ['BeforeAgent', 'SessionStart']],
])('hooks that start a session at the same time introduce it once, and show its mail once: %s', async (_, names) => {
  await using room = await openHookRoom();
  const former = room.session('former', { program: 'gemini' });
  await former.fire('SessionStart', { source: 'startup' });
  await former.fire('SessionEnd');
  const id = await room.send('It waits.', 'gemini-1');
  const session = room.session('next', { program: 'gemini' });
  const texts = await Promise.all(names.map((name) => session.fire(name, { source: 'startup' })));
  expect(texts[names.indexOf('SessionStart')]).toBe('');
  const shown = texts[names.indexOf('BeforeAgent')] ?? '';
  expect(shown.split('this session is gemini-1')).toHaveLength(2);
  expect(shown.split('It waits.')).toHaveLength(2);
  expect(room.names('gemini-1', 'cur').join()).toContain(id);
  expect(await session.fire('AfterAgent')).toBe('');
  expect(room.names('gemini-1', 'done').join()).toContain(id);
  expect(await session.fire('BeforeAgent')).toBe('');
});
