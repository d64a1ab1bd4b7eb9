import type { Preset } from '../preset.ts';
import { AT_SIGN, BAD_OPTION, IDLE_MS } from './shared-facts.ts';

export const claude = {
  file: 'claude',
  begin: ['-p', '--output-format', 'stream-json', '--verbose', '{args}'],
  resume: ['-p', '--output-format', 'stream-json', '--verbose', '--resume', '{session}', '{args}'],
  prompt: 'stdin',
  idleMs: IDLE_MS,
  expands: [{ ...AT_SIGN, seenIn: '2.1.332' }],
  output: {
    format: 'jsonl',
    session: [{ when: { type: 'result' }, at: ['session_id'] }],
    events: [
      { kind: 'failure', when: { type: 'result', is_error: true }, at: ['result', 'errors.0', 'subtype'] },
      { kind: 'reply', when: { type: 'result', subtype: 'success' }, at: ['result'] },
      { kind: 'failure', when: { type: 'result' }, at: ['errors.0', 'subtype'] },
      { kind: 'trouble', when: { type: 'system', subtype: 'api_retry' }, at: ['error'] },
    ],
    ends: [{ type: 'result' }],
    mustEnd: true,
    begins: [{ type: 'system', subtype: 'init' }, { type: 'assistant' }],
    running: { when: { type: 'system', subtype: 'background_tasks_changed' }, at: 'tasks' },
    denied: { when: { type: 'result' }, at: 'permission_denials', name: 'tool_name' },
  },
  finalFailures: [
    {
      what: 'is not logged in, or its key is not accepted',
      advice: 'Run claude and /login as the same user, or correct ANTHROPIC_API_KEY.',
      seenIn: '2.1.332',
      text: /Not logged in|run \/login|Login expired|OAuth token revoked|Invalid API key|Invalid auth token|invalid x-api-key|disabled organization|Failed to authenticate/i,
      event: { when: { type: 'system', subtype: 'api_retry', error_status: 401 }, times: 2 },
    },
    {
      what: 'has no credit or quota left',
      advice: 'Add credit to the account, or wait until its limit is reset.',
      seenIn: '2.1.332',
      text: /Credit balance is too low|API Error: 402|usage limit reached|hit your (?:\w+ )*limit/i,
    },
    {
      what: 'cannot use the model that it was started with',
      advice: 'Name another one: -- --model <name>.',
      seenIn: '2.1.332',
      text: /issue with the selected model/i,
    },
    { ...BAD_OPTION, seenIn: '2.1.332' },
  ],
  lostSession: /No conversation found with session ID/,
  edits: {
    args: ['--permission-mode', 'acceptEdits'],
    others: ['--allowedTools', '--allowed-tools', '--dangerously-skip-permissions'],
    seenIn: '2.1.332',
  },
} as const satisfies Preset;
