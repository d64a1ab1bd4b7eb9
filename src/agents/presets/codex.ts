import type { Preset } from '../preset.ts';
import { BAD_OPTION, IDLE_MS } from './shared-facts.ts';

export const codex = {
  file: 'codex',
  begin: ['exec', '--json', '{args}', '-'],
  resume: ['exec', '--json', '{args}', 'resume', '{session}', '-'],
  prompt: 'stdin',
  idleMs: IDLE_MS,
  expands: [
    {
      form: '$skill',
      seenIn: '0.171.0',
      find: /\$/g,
      // The backslash goes after the sign, because nothing before the sign, not even a backslash, prevents the expansion.
      plain: '$$\\',
      told: 'In the text above each dollar sign has a backslash behind it that its author did not write. Leave the backslash out wherever you write one.',
    },
  ],
  output: {
    format: 'jsonl',
    session: [{ when: { type: 'thread.started' }, at: ['thread_id'] }],
    events: [
      { kind: 'reply', when: { type: 'item.completed', 'item.type': 'agent_message' }, at: ['item.text'] },
      { kind: 'failure', when: { type: 'turn.failed' }, at: ['error.message'] },
      { kind: 'trouble', when: { type: 'error' }, at: ['message'] },
    ],
    ends: [{ type: 'turn.completed' }, { type: 'turn.failed' }],
    mustEnd: true,
    begins: [{ type: 'turn.started' }],
  },
  finalFailures: [
    {
      what: 'is not logged in, or its key is not accepted',
      advice: 'Run codex login as the same user, or correct the key that its config.toml names.',
      seenIn: '0.171.0',
      text: /unexpected status 40[13]\b|Not logged in|refresh token|Missing environment variable/i,
      event: { when: { type: 'error', message: /unexpected status 40[13]\b/ }, times: 2 },
    },
    {
      what: 'has no credit or quota left',
      advice: 'Add credit to the account, or wait until its limit is reset.',
      seenIn: '0.171.0',
      text: /hit your usage limit|quota exceeded|unexpected status 402\b/i,
      event: { when: { type: 'error', message: /unexpected status 402\b/ }, times: 2 },
    },
    {
      what: 'cannot use the model that it was started with',
      advice: 'Name another one: -- --model <name>.',
      seenIn: '0.171.0',
      text: /does not exist or you do not have access/i,
    },
    {
      what: 'does not trust the directory that it runs in',
      advice: 'If you do, start the agent with --trust-directory <that directory>.',
      seenIn: '0.171.0',
      text: /Not inside a trusted directory/,
    },
    { ...BAD_OPTION, seenIn: '0.171.0' },
  ],
  lostSession: /no rollout found for/i,
  trust: { args: ['--skip-git-repo-check'], others: [], seenIn: '0.171.0' },
  edits: {
    args: ['--sandbox', 'workspace-write'],
    others: ['-s', '--full-auto', '--dangerously-bypass-approvals-and-sandbox', '--yolo'],
    seenIn: '0.171.0',
  },
} as const satisfies Preset;
