import type { Preset } from '../preset.ts';
import { AT_SIGN, BAD_OPTION, IDLE_MS } from './shared-facts.ts';

export const gemini = {
  file: 'gemini',
  begin: ['-p', 'Answer the message that the standard input holds.', '--output-format', 'stream-json', '{args}'],
  resume: [
    '-p',
    'Answer the message that the standard input holds.',
    '--output-format',
    'stream-json',
    '--resume',
    '{session}',
    '{args}',
  ],
  prompt: 'stdin',
  idleMs: IDLE_MS,
  expands: [{ ...AT_SIGN, seenIn: '0.61.0' }],
  output: {
    format: 'jsonl',
    session: [{ when: { type: 'init' }, at: ['session_id'] }],
    events: [
      { kind: 'part', when: { type: 'message', role: 'assistant' }, at: ['content'] },
      { kind: 'divider', when: { type: 'tool_use' }, at: [] },
      { kind: 'failure', when: { type: 'result', status: 'error' }, at: ['error.message'] },
      { kind: 'trouble', when: { type: 'error' }, at: ['message'] },
    ],
    ends: [{ type: 'result' }],
    mustEnd: true,
    begins: [{ type: 'init' }],
  },
  finalFailures: [
    {
      what: 'is not logged in, or its key is not accepted',
      advice: 'Run gemini and log in as the same user, or correct GEMINI_API_KEY.',
      seenIn: '0.61.0',
      text: /Invalid auth method|must specify the GEMINI_API_KEY|API key not valid|"code":\s*40[13]\b/i,
    },
    {
      what: 'has no quota left',
      advice: 'Wait until it is reset, or use another key or model.',
      seenIn: '0.61.0',
      text: /exhausted your (?:daily )?quota/i,
    },
    {
      what: 'cannot use the model that it was started with',
      advice: 'Name another one: -- --model <name>.',
      seenIn: '0.61.0',
      text: /models\/\S+ is not found/,
    },
    {
      what: 'does not trust the directory that it runs in',
      advice: 'If you do, start the agent with --trust-directory <that directory>.',
      seenIn: '0.61.0',
      text: /not running in a trusted directory/,
    },
    { ...BAD_OPTION, seenIn: '0.61.0' },
  ],
  lostSession: /Error resuming session|Invalid session identifier/,
  trust: { args: ['--skip-trust'], others: [], seenIn: '0.61.0' },
  edits: { args: ['--approval-mode', 'auto_edit'], others: ['--yolo', '-y', '--allowed-tools'], seenIn: '0.61.0' },
} as const satisfies Preset;
