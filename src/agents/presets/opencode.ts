import type { Preset } from '../preset.ts';
import { BAD_OPTION, IDLE_MS } from './shared-facts.ts';

export const opencode = {
  file: 'opencode',
  begin: ['run', '--format', 'json', '{args}'],
  resume: ['run', '--format', 'json', '--session', '{session}', '{args}'],
  prompt: 'stdin',
  idleMs: IDLE_MS,
  output: {
    format: 'jsonl',
    session: [{ when: {}, at: ['sessionID'] }],
    events: [
      { kind: 'part', when: { type: 'text' }, at: ['part.text'] },
      { kind: 'divider', when: { type: 'tool_use' }, at: [] },
      { kind: 'failure', when: { type: 'error' }, at: ['error.data.message', 'error.message', 'error.name'] },
    ],
    ends: [{ type: 'step_finish', 'part.reason': 'stop' }],
    mustEnd: false,
    begins: [{ type: 'step_start' }],
  },
  finalFailures: [
    {
      what: 'is not logged in, or has no key',
      advice: 'Run opencode auth login as the same user, or set the key that its provider reads.',
      seenIn: '1.18.33',
      event: { when: { type: 'error', 'error.name': 'ProviderAuthError' }, times: 1 },
    },
    {
      what: 'has a key that is not accepted',
      advice: 'Correct the key that its provider reads, or run opencode auth login as the same user.',
      seenIn: '1.18.33',
      event: { when: { type: 'error', 'error.data.statusCode': /^40[13]$/ }, times: 1 },
    },
    {
      what: 'has no credit or quota left',
      advice: 'Add credit to the account, or wait until its limit is reset.',
      seenIn: '1.18.33',
      text: /credit balance is too low/i,
      event: { when: { type: 'error', 'error.data.statusCode': 402 }, times: 1 },
    },
    {
      what: 'cannot use the model that it was started with',
      advice: 'Name another one: -- --model <provider>/<name>.',
      seenIn: '1.18.33',
      event: { when: { type: 'error', 'error.data.statusCode': 404 }, times: 1 },
    },
    // It prints its usage, not what is wrong.
    { ...BAD_OPTION, seenIn: '1.18.33', text: /^opencode run \[message/ },
  ],
  lostSession: /Session not found/,
} as const satisfies Preset;
