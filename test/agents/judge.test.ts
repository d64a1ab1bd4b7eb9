import { describe, expect, it } from 'vitest';
import { judge, type RunVerdict } from '../../src/agents/judge.ts';
import { presetOf, type PresetName } from '../../src/agents/presets.ts';
import { readOutput } from '../../src/agents/read-output.ts';
import type { CommandResult } from '../../src/jobs/job.ts';

const ENDED: CommandResult = {
  exitCode: 0,
  signal: null,
  timedOut: false,
  stdout: '',
  stderr: '',
  stdoutTruncated: false,
  stderrTruncated: false,
  durationMs: 1_000,
};

function verdictOf(
  preset: PresetName,
  events: readonly unknown[],
  ended: Partial<CommandResult> = { exitCode: 1 },
): RunVerdict {
  const output = readOutput(events.map((event) => `${JSON.stringify(event)}\n`).join(''), presetOf(preset));
  return judge({ result: { ...ENDED, ...ended }, output }, { kind: 'preset', preset, args: [] }, undefined).verdict;
}

const RESULT = { type: 'result', subtype: 'success', is_error: false, result: 'Port 8080.', session_id: 'a' };

describe('a complete answer', () => {
  it.each<[string, Partial<CommandResult>]>([
    ['exits with 1', { exitCode: 1 }],
    ['is killed', { exitCode: null, signal: 'SIGKILL' }],
    ['takes too long to leave', { exitCode: null, signal: 'SIGKILL', timedOut: true }],
    ['falls silent', { exitCode: null, signal: 'SIGTERM', timedOut: true, limit: 'idle' }],
    ['writes too much', { exitCode: null, signal: 'SIGTERM', limit: 'output' }],
  ])('is one although its program %s after it', (_, ended) => {
    expect(verdictOf('claude', [RESULT], ended)).toMatchObject({ kind: 'answer', content: 'Port 8080.' });
    expect(verdictOf('claude', [{ type: 'assistant' }], ended)).toMatchObject({ kind: 'failed' });
  });
});

describe('a failure that no retry can fix', () => {
  const retry = { type: 'system', subtype: 'api_retry', error_status: 401, error: 'authentication_failed' };
  const failed = (result: string): object => ({ ...RESULT, is_error: true, result });
  const turn = (message: string): object => ({ type: 'turn.failed', error: { message } });
  const gemini = (message: string): object => ({ type: 'result', status: 'error', error: { type: 'x', message } });
  const opencode = (name: string, data: object): object => ({ type: 'error', error: { name, data } });
  const reconnecting = { type: 'error', message: 'Reconnecting... 1/5 (unexpected status 401 Unauthorized: no)' };

  it.each<[PresetName, object[]]>([
    ['claude', [retry, retry]],
    ['claude', [failed('Invalid API key · Fix external API key')]],
    ['claude', [failed('Not logged in · Please run /login')]],
    ['claude', [failed('Failed to authenticate. API Error: 403 Your API key does not have permission')]],
    ['claude', [failed('Credit balance is too low')]],
    ['claude', [failed("There's an issue with the selected model (x). It may not exist")]],
    ['codex', [reconnecting, reconnecting]],
    ['codex', [turn('unexpected status 401 Unauthorized: Incorrect API key provided: sk-test.')]],
    ['codex', [turn('Quota exceeded. Check your plan and billing details.')]],
    ['codex', [turn('You’ve hit your usage limit. Upgrade to Pro or try again at 5 PM.')]],
    ['codex', [turn('The model `nope` does not exist or you do not have access to it.')]],
    [
      'gemini',
      [gemini('[API Error: {"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}]')],
    ],
    ['gemini', [gemini('[API Error: {"error":{"code":401,"message":"x"}}]')]],
    ['gemini', [gemini('[API Error: You have exhausted your daily quota on this model.]\nPlease wait')]],
    ['gemini', [gemini('[API Error: models/nope is not found]')]],
    ['opencode', [opencode('APIError', { message: 'invalid x-api-key', statusCode: 401, isRetryable: false })]],
    ['opencode', [opencode('APIError', { message: 'Your credit balance is too low', statusCode: 400 })]],
    ['opencode', [opencode('ProviderAuthError', { message: 'Anthropic API key is missing.' })]],
  ])('is known as one: %s %j', (preset, events) => {
    expect(verdictOf(preset, events)).toMatchObject({ kind: 'failed', isFinal: true });
  });

  it.each<[PresetName, object[]]>([
    ['claude', [retry]],
    [
      'claude',
      [
        { ...retry, error_status: 529 },
        { ...retry, error_status: 529 },
      ],
    ],
    ['claude', [failed('API Error: Repeated 529 Overloaded errors.')]],
    ['codex', [reconnecting]],
    ['codex', [turn('exceeded retry limit, last status: 429 Too Many Requests')]],
    ['codex', [turn('Selected model is at capacity. Please try a different model.')]],
    ['gemini', [gemini('[API Error: 503 overloaded]')]],
  ])('is not seen where a retry may heal it: %s %j', (preset, events) => {
    const verdict = verdictOf(preset, events);
    expect(verdict.kind).toBe('failed');
    expect(verdict).not.toHaveProperty('isFinal');
  });

  it('is recognized on stderr, too, and says what to do', () => {
    const stderr =
      'WARNING: proceeding\n\u001b[31mNot inside a trusted directory and --skip-git-repo-check was not specified.\u001b[0m\n';
    const verdict = verdictOf('codex', [], { exitCode: 1, stderr });
    expect(verdict).toMatchObject({ kind: 'failed', isFinal: true });
    expect((verdict as { why: string }).why).toBe(
      'does not trust the directory that it runs in: Not inside a trusted directory and --skip-git-repo-check was not specified. If you do, start the agent with --trust-directory <that directory>.',
    );
    const usage = 'Unknown arguments: such-option, suchOption\n\nUsage: gemini [options]\n\nOptions:\n  -h\n';
    expect(verdictOf('gemini', [], { exitCode: 1, stderr: usage })).toMatchObject({
      isFinal: true,
      why: expect.stringContaining('options: Unknown arguments: such-option, suchOption. Correct') as unknown,
    });
    const key =
      'When using Gemini API, you must specify the GEMINI_API_KEY environment variable.\nUpdate your environment!\n';
    expect(verdictOf('gemini', [], { exitCode: 41, stderr: key })).toMatchObject({
      isFinal: true,
      why: expect.stringContaining('accepted: When using Gemini API, you must specify') as unknown,
    });
    expect(
      verdictOf('opencode', [], { exitCode: 1, stderr: 'opencode run [message..]\n\nrun opencode\n' }),
    ).toMatchObject({ isFinal: true });
    const refused = verdictOf('codex', [reconnecting, reconnecting], { exitCode: null, signal: 'SIGKILL' });
    expect((refused as { why: string }).why).toMatch(
      /accepted: Reconnecting\.\.\. .*401 Unauthorized: no\)\. Run codex login/,
    );
    expect(
      verdictOf('gemini', [], { exitCode: 55, stderr: 'Gemini CLI is not running in a trusted directory. To …' }),
    ).toMatchObject({ isFinal: true });
    expect(verdictOf('claude', [], { exitCode: 1, stderr: "error: unknown option '--no-such'\n" })).toMatchObject({
      isFinal: true,
    });
  });
});

it.each<[PresetName, string]>([
  ['claude', 'No conversation found with session ID: 0b6fb7c0'],
  ['codex', 'Error: thread/resume: thread/resume failed: no rollout found for thread id 0199 (code -32600)'],
  ['gemini', 'Error resuming session: Invalid session identifier "x".'],
  ['opencode', '\u001b[91m\u001b[1mError: \u001b[0mSession not found'],
])('knows when the session of %s is lost', (preset, stderr) => {
  expect(verdictOf(preset, [], { exitCode: 1, stderr })).toMatchObject({ isSessionLost: true });
  expect(verdictOf(preset, [], { exitCode: 1, stderr: 'overloaded' })).toMatchObject({ isSessionLost: false });
});

it.each([
  ['first\n\u001b[31mlast\u001b[0m\n\n  \n', 'last'],
  [
    "error: invalid value 'x' for '--sandbox'\n\n  tip: …\n\nUsage: codex exec\n\nFor more information, try '--help'.\n",
    "error: invalid value 'x' for '--sandbox'",
  ],
  ['Error: no key\n    at main (/a/b.js:1:2)\n  status: 400\n}\n\nNode.js v20.19.0\n', 'Error: no key'],
  ['  only this\n', 'only this'],
  [`${'x'.repeat(900)}\n`, `${'x'.repeat(499)}…`],
])('shows the last meaningful line of %j', (stderr, line) => {
  const verdict = verdictOf('claude', [], { exitCode: 3, stderr });
  expect(verdict).toMatchObject({ why: `ended with exit code 3; the last line on its stderr: ${line}` });
});
