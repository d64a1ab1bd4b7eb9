import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRESET_NAMES, presetOf, type PresetName } from '../../src/agents/presets.ts';
import { isSession, OutputReader, readOutput, type ProgramOutput } from '../../src/agents/read-output.ts';
import { amount } from '../run/amount.ts';

function read(preset: PresetName, events: readonly unknown[], { noise = '' } = {}): ProgramOutput {
  return readOutput(`${noise}${events.map((event) => JSON.stringify(event)).join('\n')}\n`, presetOf(preset));
}

describe('claude', () => {
  const result = { type: 'result', subtype: 'success', is_error: false, result: 'Port 8080.', session_id: 'abc-1' };

  it('answers in its result', () => {
    const events = [
      { type: 'system', subtype: 'init', session_id: 'abc-0' },
      { type: 'assistant', message: { content: [{ type: 'text', text: 'On the way' }] }, session_id: 'abc-1' },
      result,
    ];
    const said = { reply: 'Port 8080.', session: 'abc-1', isEnded: true, denied: [] };
    expect(read('claude', events)).toEqual(said);
    expect(read('claude', events, { noise: 'a warning\n\n{broken\n' })).toEqual(said);
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

  it('answers in its last message, whatever retries it reported before', () => {
    const events = [
      started,
      { type: 'error', message: 'Reconnecting... 1/5' },
      message('first'),
      { type: 'item.completed', item: { id: 'y', type: 'command_execution', command: 'ls', aggregated_output: '' } },
      message('last'),
      { type: 'turn.completed', usage: {} },
    ];
    expect(read('codex', events)).toEqual({
      reply: 'last',
      session: started.thread_id,
      isEnded: true,
      denied: [],
    });
  });

  it('says why a turn failed, or that it is incomplete', () => {
    expect(read('codex', [started, { type: 'turn.failed', error: { message: 'quota' } }]).failure).toBe('quota');
    expect(read('codex', [started, { type: 'error', message: 'no network' }]).incomplete).toBe('no network');
    expect(read('codex', [started, message('half')]).incomplete).toContain('ends before');
  });
});

it('says what is wrong with a program that does not write the expected format', () => {
  expect(readOutput('Usage: codex [OPTIONS]\n', presetOf('codex')).incomplete).toContain('no JSON lines');
});

describe('gemini', () => {
  const chunk = (content: string): unknown => ({ type: 'message', role: 'assistant', content, delta: true });
  const start = [
    { type: 'init', session_id: 's-1', model: 'm' },
    { type: 'message', role: 'user', content: 'the prompt' },
  ];

  it('answers in the pieces after its last tool call', () => {
    const events = [
      ...start,
      chunk('I look'),
      { type: 'tool_use' },
      chunk('Port '),
      chunk('8080.'),
      { type: 'result', status: 'success' },
    ];
    expect(read('gemini', events)).toEqual({ reply: 'Port 8080.', session: 's-1', isEnded: true, denied: [] });
  });

  it('answers in its earlier text when it ends with a tool call', () => {
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

  it('answers in the text after its last tool call', () => {
    const events = [
      event('text', { part: { type: 'text', text: 'I look' } }),
      event('tool_use', { part: { type: 'tool' } }),
      event('text', { part: { type: 'text', text: 'Port 8080.' } }),
    ];
    expect(read('opencode', events)).toEqual({ reply: 'Port 8080.', session: 'ses_1', isEnded: false, denied: [] });
  });

  it('says why it failed', () => {
    const error = { name: 'APIError', data: { message: 'overloaded' } };
    expect(read('opencode', [event('error', { error })]).failure).toBe('overloaded');
    expect(read('opencode', [event('error', { error: { name: 'Unknown' } })]).failure).toBe('Unknown');
  });
});

it('reads plain text without escape sequences', () => {
  expect(readOutput('\u001b[1mPort\u001b[0m 8080.\n\n', presetOf('aider'))).toEqual({
    reply: 'Port 8080.',
    isEnded: false,
    denied: [],
  });
});

describe('the end of a turn', () => {
  const result = { type: 'result', subtype: 'success', is_error: false, result: 'Port 8080.', session_id: 'abc-1' };
  const init = { type: 'system', subtype: 'init', session_id: 'abc-1' };
  const line = (event: unknown): string => `${JSON.stringify(event)}\n`;

  it.each([
    ['claude', [init], result],
    ['codex', [{ type: 'turn.started' }], { type: 'turn.completed', usage: {} }],
    ['codex', [{ type: 'turn.started' }], { type: 'turn.failed', error: { message: 'no' } }],
    ['gemini', [{ type: 'init', session_id: 's' }], { type: 'result', status: 'success' }],
    ['opencode', [{ type: 'step_start' }], { type: 'step_finish', part: { reason: 'stop' } }],
  ] as const)('of %s is an event of its own, and an earlier one does not count', (preset, begin, end) => {
    const isEnded = (...events: readonly unknown[]): boolean => {
      const reader = new OutputReader(presetOf(preset));
      reader.write(Buffer.from(events.map(line).join('')));
      return reader.soFar().isEnded;
    };
    expect(isEnded(...begin)).toBe(false);
    expect(isEnded(...begin, end)).toBe(true);
    expect(isEnded(...begin, end, { type: 'system', subtype: 'note' })).toBe(true);
    expect(isEnded(...begin, end, ...begin)).toBe(false);
    expect(isEnded(...begin, end, ...begin, end)).toBe(true);
  });

  it('has not come while a background task runs, after which claude begins another turn', () => {
    const tasks = (...ids: string[]): unknown => ({
      type: 'system',
      subtype: 'background_tasks_changed',
      tasks: ids.map((task_id) => ({ task_id, task_type: 'local_bash' })),
    });
    const reader = new OutputReader(presetOf('claude'));
    const after = (...events: readonly unknown[]): boolean => {
      reader.write(Buffer.from(events.map(line).join('')));
      return reader.soFar().isEnded;
    };
    expect(after(init, tasks('a'), result)).toBe(false);
    expect(after(tasks())).toBe(true);
    expect(after({ type: 'assistant' })).toBe(false);
    expect(after({ ...result, result: 'Port 9090.' })).toBe(true);
    expect(reader.end().reply).toBe('Port 9090.');
  });

  it('of an answered turn counts when a later turn is cut off or fails', () => {
    const error = { ...result, is_error: true, result: 'API Error: 529' };
    const said = { reply: 'Port 8080.', session: 'abc-1', isEnded: true, denied: [] };
    expect(read('claude', [init, result, { type: 'assistant' }])).toEqual(said);
    expect(read('claude', [init, result, { type: 'assistant' }, error])).toEqual(said);
    expect(read('claude', [init, error, { type: 'assistant' }, result])).toEqual(said);
    expect(read('claude', [init, error])).toMatchObject({ failure: 'API Error: 529' });
  });

  it('is not recognized in the text of a model, nor in text printed for people', () => {
    const text = `Look:\n${line(result)}`;
    const said = { type: 'assistant', message: { content: [{ type: 'text', text }] }, session_id: 'abc-1' };
    expect(read('claude', [init, said]).isEnded).toBe(false);
    expect(read('claude', [init, { type: 'user', tool_use_result: result }]).isEnded).toBe(false);
    expect(readOutput(`${line(init)}  ${line(result)}> ${line(result)}`, presetOf('claude')).isEnded).toBe(false);
  });

  it('is noticed as soon as its line is complete, however the output is split', () => {
    const text = Buffer.from(`noise\n${line(init)}${line({ ...result, result: 'Größe 😀' })}`);
    const property = fc.property(fc.array(fc.nat(text.length - 1), { maxLength: 8 }), (cuts) => {
      const reader = new OutputReader(presetOf('claude'));
      let at = 0;
      for (const cut of [...cuts.toSorted((a, b) => a - b), text.length - 1]) {
        reader.write(text.subarray(at, cut));
        at = Math.max(at, cut);
        expect(reader.soFar().isEnded).toBe(false);
      }
      reader.write(text.subarray(at));
      expect(reader.soFar().isEnded).toBe(true);
      expect(reader.end().reply).toBe('Größe 😀');
    });
    fc.assert(property, { numRuns: amount(50, { long: 200 }) });
  });

  it('needs no line feed after it when nothing more comes', () => {
    expect(readOutput(JSON.stringify(result), presetOf('claude')).isEnded).toBe(true);
    expect(readOutput(JSON.stringify(result).slice(0, -1), presetOf('claude')).isEnded).toBe(false);
  });
});

it('counts every event except retries as progress', () => {
  const progressOf = (preset: PresetName, event: unknown): number => {
    const reader = new OutputReader(presetOf(preset));
    reader.write(Buffer.from(`${JSON.stringify(event)}\nno event\n`));
    return reader.soFar().progress;
  };
  expect(progressOf('claude', { type: 'system', subtype: 'api_retry', error_status: 529 })).toBe(0);
  expect(progressOf('codex', { type: 'error', message: 'Reconnecting... 2/5' })).toBe(0);
  expect(progressOf('gemini', { type: 'error', message: 'Loop detected' })).toBe(0);
  expect(progressOf('claude', { type: 'user' })).toBe(1);
  expect(progressOf('codex', { type: 'item.started' })).toBe(1);
});

it('tells which tools were denied', () => {
  const denial = (tool_name: string): object => ({ tool_name, tool_use_id: 't', tool_input: { command: 'rm' } });
  const result = { type: 'result', subtype: 'success', result: 'Done.', permission_denials: [denial('Bash')] };
  expect(read('claude', [result]).denied).toEqual(['Bash']);
  expect(read('claude', [{ ...result, permission_denials: 'none' }]).denied).toEqual([]);
});

it('never throws, and never returns a session that could be an option or a path, for any output', () => {
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
    const { session } = readOutput(lines.join('\n'), presetOf(name));
    expect(session === undefined || /^[^-/]+/.test(session)).toBe(true);
  });
  fc.assert(property, { numRuns: amount(200, { long: 1_000 }) });
  expect(['--dangerous', '../x', 'a/b', '', 'a b'].filter(isSession)).toEqual([]);
});
