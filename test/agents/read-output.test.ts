import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRESET_NAMES, presetOf, type PresetName } from '../../src/agents/presets.ts';
import { isSession, readOutput, type Said } from '../../src/agents/read-output.ts';

function read(preset: PresetName, events: readonly unknown[], { noise = '' } = {}): Said {
  return readOutput(`${noise}${events.map((event) => JSON.stringify(event)).join('\n')}\n`, presetOf(preset).output);
}

describe('claude', () => {
  const result = { type: 'result', subtype: 'success', is_error: false, result: 'Port 8080.', session_id: 'abc-1' };

  it('answers in its result', () => {
    const events = [
      { type: 'system', subtype: 'init', session_id: 'abc-0' },
      { type: 'assistant', message: { content: [{ type: 'text', text: 'On the way' }] }, session_id: 'abc-1' },
      result,
    ];
    expect(read('claude', events)).toEqual({ reply: 'Port 8080.', session: 'abc-1' });
    expect(read('claude', events, { noise: 'a warning\n\n{broken\n' })).toEqual({
      reply: 'Port 8080.',
      session: 'abc-1',
    });
  });

  it('says why it failed, in each of its ways', () => {
    const error = { ...result, is_error: true, result: 'API Error: 529' };
    expect(read('claude', [error]).failure).toBe('API Error: 529');
    const turns = { type: 'result', subtype: 'error_max_turns', is_error: false, session_id: 'abc-1' };
    expect(read('claude', [turns]).failure).toBe('error_max_turns');
    const during = { type: 'result', subtype: 'error_during_execution', is_error: true, errors: ['boom'] };
    expect(read('claude', [during]).failure).toBe('boom');
    expect(read('claude', [{ type: 'system', subtype: 'init', session_id: 'a' }]).incomplete).toContain('ends before');
  });
});

describe('codex', () => {
  const started = { type: 'thread.started', thread_id: '0199a213-81c0-7800-8aa1-bbab2a035a53' };
  const message = (text: string): unknown => ({
    type: 'item.completed',
    item: { id: 'x', type: 'agent_message', text },
  });

  it('answers in its last message, whatever trouble it had on the way', () => {
    const events = [
      started,
      { type: 'error', message: 'Reconnecting... 1/5' },
      message('first'),
      { type: 'item.completed', item: { id: 'y', type: 'command_execution', command: 'ls', aggregated_output: '' } },
      message('last'),
      { type: 'turn.completed', usage: {} },
    ];
    expect(read('codex', events)).toEqual({ reply: 'last', session: started.thread_id });
  });

  it('says why a turn failed, or that it is not complete', () => {
    expect(read('codex', [started, { type: 'turn.failed', error: { message: 'quota' } }]).failure).toBe('quota');
    expect(read('codex', [started, { type: 'error', message: 'no network' }]).incomplete).toBe('no network');
    expect(read('codex', [started, message('half')]).incomplete).toContain('ends before');
  });
});

it('says what is wrong with a program that does not write what it was started for', () => {
  expect(readOutput('Usage: codex [OPTIONS]\n', presetOf('codex').output).incomplete).toContain('no JSON lines');
});

describe('gemini', () => {
  const chunk = (content: string): unknown => ({ type: 'message', role: 'assistant', content, delta: true });
  const start = [
    { type: 'init', session_id: 's-1', model: 'm' },
    { type: 'message', role: 'user', content: 'the prompt' },
  ];

  it('answers in the pieces behind its last use of a tool', () => {
    const events = [
      ...start,
      chunk('I look'),
      { type: 'tool_use' },
      chunk('Port '),
      chunk('8080.'),
      { type: 'result', status: 'success' },
    ];
    expect(read('gemini', events)).toEqual({ reply: 'Port 8080.', session: 's-1' });
  });

  it('answers in what it said before when it ends with a tool', () => {
    const events = [...start, chunk('Done.'), { type: 'tool_use' }, { type: 'result', status: 'success' }];
    expect(read('gemini', events).reply).toBe('Done.');
  });

  it('says why it failed', () => {
    const failed = { type: 'result', status: 'error', error: { type: 'x', message: 'turn limit' } };
    expect(read('gemini', [...start, chunk('so far'), failed]).failure).toBe('turn limit');
  });
});

describe('opencode', () => {
  const event = (type: string, data: object): unknown => ({ type, timestamp: 1, sessionID: 'ses_1', ...data });

  it('answers in the text behind its last use of a tool', () => {
    const events = [
      event('text', { part: { type: 'text', text: 'I look' } }),
      event('tool_use', { part: { type: 'tool' } }),
      event('text', { part: { type: 'text', text: 'Port 8080.' } }),
    ];
    expect(read('opencode', events)).toEqual({ reply: 'Port 8080.', session: 'ses_1' });
  });

  it('says why it failed', () => {
    const error = { name: 'APIError', data: { message: 'overloaded' } };
    expect(read('opencode', [event('error', { error })]).failure).toBe('overloaded');
    expect(read('opencode', [event('error', { error: { name: 'Unknown' } })]).failure).toBe('Unknown');
  });
});

it('reads plain text without what colours it', () => {
  expect(readOutput('\u001b[1mPort\u001b[0m 8080.\n\n', { format: 'text' })).toEqual({ reply: 'Port 8080.' });
});

it('never throws, and never gives a session that could be an option or a path, whatever is written', () => {
  const line = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({
        type: fc.constantFrom('result', 'init', 'thread.started', 'text'),
        session_id: fc.string(),
        sessionID: fc.string(),
      })
      .map((one) => JSON.stringify(one)),
  );
  const property = fc.property(fc.constantFrom(...PRESET_NAMES), fc.array(line), (name, lines) => {
    const { session } = readOutput(lines.join('\n'), presetOf(name).output);
    expect(session === undefined || /^[^-/]+/.test(session)).toBe(true);
  });
  fc.assert(property, { numRuns: 1_000 });
  expect(['--dangerous', '../x', 'a/b', '', 'a b'].filter(isSession)).toEqual([]);
});
