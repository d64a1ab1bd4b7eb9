import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCheck, type CheckData } from '../../src/agents/reply-data.ts';

const BALLOT = z.toJSONSchema(
  z.strictObject({ option: z.enum(['a', 'b']), confidence: z.number().min(0).max(1).optional() }),
);

function checkOf(schema: unknown): CheckData {
  const made = createCheck(schema);
  if ('unusable' in made) throw new Error(made.unusable);
  return made.check;
}

describe('data in an answer', () => {
  const check = checkOf(BALLOT);
  it.each([
    ['the whole text', '{"option":"b"}\n'],
    ['a fenced block', 'I think so:\n\n```json\n{"option":"b"}\n```\nBecause it is safer.'],
    ['a block without a name', '```\n{"option":"b"}\n```'],
    ['the last of several blocks', '```json\n{"option":"a"}\n```\nNo, rather:\n```json\n{"option":"b"}\n```\n'],
    ['a block before one that is something else', '```json\n{"option":"b"}\n```\n```sh\nls\n```\n'],
    ['a longer fence, with a fence in it', '````json\n{"option":"b"}\n````'],
  ])('is found as %s', (_, text) => {
    expect(check(text)).toEqual({ data: { option: 'b' } });
  });

  it.each([
    ['nothing', '', 'There is no JSON in it'],
    ['no JSON', 'option b', 'There is no JSON in it'],
    ['another option', '{"option":"c"}', 'At option: Invalid option'],
    ['too much', '{"option":"a","confidence":2,"x":1}', 'At confidence: Too big'],
    ['a number that would change', '{"option":"a","confidence":0.12345678901234567890}', 'write it as a string'],
    ['a key twice', '{"option":"a","option":"b"}', 'twice'],
    ['the wrong block last', '```json\n{"option":"q"}\n```', 'At option: Invalid option'],
  ])('is refused with its faults: %s', (_, text, fault) => {
    const found = check(text);
    expect('faults' in found ? found.faults.join('\n') : '').toContain(fault);
  });

  it('names the nested path in a fault', () => {
    const nested = checkOf(z.toJSONSchema(z.object({ tasks: z.array(z.object({ id: z.string() })) })));
    expect(nested('{"tasks":[{"id":"x"},{"id":7}]}')).toEqual({
      faults: [expect.stringContaining('At tasks.1.id: ') as string],
    });
  });
});

describe('a schema', () => {
  it.each([
    ['text', 'object'],
    ['null', null],
    ['a list', []],
    ['of an unknown type', { type: 'foo' }],
    ['that refers to elsewhere', { $ref: 'https://example.com/schema' }],
  ])('that is %s cannot be used, and it says why', (_, schema) => {
    const made = createCheck(schema);
    expect('unusable' in made && made.unusable.length).toBeGreaterThan(5);
  });

  it('with a regular expression that never ends is given up', () => {
    const check = checkOf({ type: 'string', pattern: '^(a+)+$' });
    const startMs = performance.now();
    expect(check(JSON.stringify(`${'a'.repeat(60)}!`))).toEqual({
      faults: [expect.stringContaining('took longer') as string],
    });
    expect(performance.now() - startMs).toBeGreaterThan(1_900);
    expect(check('"aaa"')).toEqual({ data: 'aaa' });
  });
});
