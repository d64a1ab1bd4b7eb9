import fs from 'node:fs';
import path from 'node:path';
import { encode } from 'gpt-tokenizer';
import { expect, it } from 'vitest';
import { createCommands } from '../../src/cli/command-table.ts';
import { overview } from '../../src/cli/help-text.ts';
import { AGENTS_NOTE } from '../../src/cli/instruction-files.ts';
import { withBlock } from '../../src/cli/marked-block.ts';
import { skillText } from '../../src/cli/skill-text.ts';

const README = fs.readFileSync(path.join(import.meta.dirname, '../../README.md'), 'utf8');

const commands = createCommands(() => Promise.reject(new Error('no test runs a machine by this')));

// Counted with o200k_base, the encoding of current OpenAI models; of others the counts differ by some percent.
it.each([
  { what: 'mailroom help', text: overview(commands), tokensMax: 950 },
  {
    what: 'the block in AGENTS.md, with its markers',
    text: withBlock('', { path: '', lines: AGENTS_NOTE }),
    tokensMax: 120,
  },
  { what: 'the skill, which is read when it is needed', text: skillText(commands), tokensMax: 2500 },
])('$what costs at most $tokensMax tokens', ({ what, text, tokensMax }) => {
  const tokens = encode(text).length;
  console.log(`${tokens} of ${tokensMax} tokens: ${what}`);
  expect(tokens).toBeGreaterThan(50);
  expect(tokens).toBeLessThanOrEqual(tokensMax);
});

it('the README shows what the block in AGENTS.md says', () => {
  expect(README).toContain(`\`\`\`text\n${AGENTS_NOTE.join('\n')}\n\`\`\`\n`);
});

it('the block is ASCII, so that it fits into a file of any encoding', () => {
  expect(AGENTS_NOTE.join('\n')).toMatch(/^[\n -~]+$/);
});
