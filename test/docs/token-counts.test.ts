import fs from 'node:fs';
import path from 'node:path';
import { encode } from 'gpt-tokenizer';
import { expect, it } from 'vitest';
import { createCommands } from '../../src/cli/command-table.ts';
import { overview } from '../../src/cli/help-text.ts';
import { AGENTS_NOTE } from '../../src/cli/instruction-files.ts';
import { withBlock } from '../../src/cli/marked-block.ts';
import { skillText } from '../../src/cli/skill-text.ts';
import { openGoldenRoom } from '../hooks/golden-texts.ts';

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

// Mail of an ordinary size: 200 characters of prose.
const CONTENT = 'The service listens on port 8080 and answers health checks under /healthz; '.repeat(3).slice(0, 200);

/** Digits as random as those of a real id. */
const idOf = (number: number): number => (number * 0x9e3779b1) % 2 ** 32;

it.each([
  { waiting: 0, tokensMax: 0 },
  { waiting: 1, tokensMax: 180 },
  { waiting: 20, tokensMax: 2400 },
])('what a hook shows of waiting mail ($waiting) costs at most $tokensMax tokens', async ({ waiting, tokensMax }) => {
  await using golden = await openGoldenRoom();
  const { alice } = golden.room;
  for (let number = 1; number <= waiting; number++) {
    await alice.send({ to: 'claude-1', type: 'INFO', content: CONTENT, id: golden.id(idOf(number)) });
  }
  const text = await golden.shown();
  const tokens = encode(text).length;
  console.log(`${tokens} of ${tokensMax} tokens: what a hook shows of ${waiting} messages, ${text.length} characters`);
  expect(text.split('From alice, ').length - 1).toBe(waiting);
  expect(tokens).toBeLessThanOrEqual(tokensMax);
});

it('a session that starts is told who it is in at most 160 tokens', async () => {
  await using golden = await openGoldenRoom();
  const tokens = encode(golden.introduction()).length;
  console.log(`${tokens} of 160 tokens: the introduction`);
  expect(tokens).toBeGreaterThan(50);
  expect(tokens).toBeLessThanOrEqual(160);
});
