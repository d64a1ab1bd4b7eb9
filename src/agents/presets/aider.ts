import type { Preset } from '../preset.ts';

export const aider = {
  file: 'aider',
  begin: [
    '--message-file',
    '{prompt}',
    '--chat-history-file',
    '{history}',
    '--restore-chat-history',
    '--yes-always',
    '--no-pretty',
    '--no-stream',
    '--no-check-update',
    '--no-detect-urls',
    '--no-suggest-shell-commands',
    '{args}',
  ],
  prompt: 'file',
  output: { format: 'text' },
  finalFailures: [],
} as const satisfies Preset;
