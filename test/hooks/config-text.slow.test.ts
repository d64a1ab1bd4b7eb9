import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { CONFIG_SHAPES, hookEntries, type ConfiguredProgram } from '../../src/hooks/install/config-shapes.ts';
import { ownEntries, withEntries, withoutEntries } from '../../src/hooks/install/config-text.ts';
import { hookCommand } from '../../src/hooks/install/hook-command.ts';
import { MARK, settingsText } from './settings-text.ts';
import { amount } from '../run/amount.ts';

const PROGRAMS = Object.keys(CONFIG_SHAPES) as ConfiguredProgram[];

function bench(program: ConfiguredProgram) {
  const file = { program, name: 'settings.json' };
  const entries = hookEntries(program, (event) => hookCommand(program, event, {}));
  const others = hookEntries(program, (event) => hookCommand(program, event, { as: 'bob' }));
  return {
    entries,
    addOther: (text: string | undefined) => withEntries(text, others, file),
    add: (text: string | undefined) => withEntries(text, entries, file),
    own: (text: string) => ownEntries(text, file),
    remove: (text: string, before: string | undefined) => withoutEntries(text, before, file),
  };
}

const RUNS = amount(30, { long: 100 });
console.log(`${RUNS} settings for each property of each program`);

describe.each(PROGRAMS)('settings of %s, whatever they are', (program) => {
  const { entries, add, addOther, own, remove } = bench(program);
  const settings = settingsText(program);

  it('keep everything in its order, and get every entry once', () => {
    fc.assert(
      fc.property(settings, (text) => {
        const added = add(text);
        expect(inOrder(own(added).entries)).toEqual(inOrder(entries));
        const [was, is] = [parse(plain(text)), parse(plain(added))] as Record<string, unknown>[];
        expect(Object.keys(is ?? {}).filter((key) => key in (was ?? {}))).toEqual(Object.keys(was ?? {}));
        expect(parse(plain(remove(added, text) ?? ''))).toEqual(was);
      }),
      { numRuns: RUNS },
    );
  });

  it('are byte-identical again after the entries are removed', () => {
    fc.assert(
      fc.property(settings, (text) => {
        expect(remove(add(text), text)).toBe(text);
      }),
      { numRuns: RUNS },
    );
  });

  it('keep exactly what others have changed meanwhile', () => {
    const edits = ['"@mark@": 1', `"new": [{ "a": "}" }], ${MARK}`, `${MARK}, "other": {}`];
    fc.assert(
      fc.property(settings, fc.constantFrom(...edits), (text, put) => {
        fc.pre(text.includes(MARK));
        const edit = (one: string): string => one.replaceAll(MARK, () => put);
        const edited = edit(add(text));
        expect(remove(edited, text)).toBe(edit(text));
        // The same after the hooks were replaced by another form.
        expect(remove(addOther(remove(edited, text)), text)).toBe(edit(text));
      }),
      { numRuns: RUNS },
    );
  });

  it('lose only the entries if the backup is gone', () => {
    fc.assert(
      fc.property(settings, (text) => {
        const left = remove(add(text), undefined);
        if (left === undefined) return;
        expect(own(left).entries).toEqual([]);
        const kept = parse(plain(left)) as Record<string, unknown>;
        const was = parse(plain(text)) as Record<string, unknown>;
        const others = (all: Record<string, unknown>) =>
          Object.entries(all).filter(([key]) => key !== 'hooks' && key !== 'version');
        expect(others(kept)).toEqual(others(was));
      }),
      { numRuns: RUNS },
    );
  });
});

function plain(text: string): string {
  return text.replace(/^\uFEFF/, '');
}

function inOrder(entries: readonly unknown[]): string[] {
  return entries.map((entry) => JSON.stringify(entry)).sort();
}

it('are formatted like the lines around them, and leave a comment on its line', () => {
  const text =
    '{\r\n\t"a": 1, // one\r\n\t"hooks": {\r\n\t\t"AfterAgent": [\r\n\t\t\t{ "x": 1 } // two\r\n\t\t]\r\n\t} // three\r\n}';
  const [entry] = bench('gemini').entries.filter(({ path }) => path[1] === 'AfterAgent');
  const file = { program: 'gemini', name: 'settings.json' } as const;
  const value = JSON.stringify(entry?.value, null, '\t').replaceAll('\n', '\r\n\t\t\t');
  expect(withEntries(text, entry ? [entry] : [], file)).toBe(
    text.replace('{ "x": 1 } // two', () => `{ "x": 1 }, // two\r\n\t\t\t${value}`),
  );
  const { path } = { path: ['hooks', 'SessionStart'] };
  expect(withEntries(text, [{ path, value: 1 }], file)).toBe(
    text.replace(']\r\n\t}', () => '],\r\n\t\t"SessionStart": [\r\n\t\t\t1\r\n\t\t]\r\n\t}'),
  );
  expect(withEntries('{}', [{ path: ['hooks', 'Stop'], value: 1 }], file)).toBe(
    '{\n  "hooks": {\n    "Stop": [\n      1\n    ]\n  }\n}',
  );
});

it.each(['', '\n\n'])('leave a blank file blank again: %j', (text) => {
  const { add, remove } = bench('codex');
  expect(remove(add(text), text)).toBe(text);
});

it.each<[what: string, text: string, says: RegExp]>([
  ['an end that is missing', '{"a": [1', /line 1, column 9/],
  ['a trailing comma', '{\r\n  "a": 1,\r\n}', /line 3, column 1/],
  ['a number that JSON does not have', '{"a": 01}', /line 1, column 8/],
  ['no object', '[]', /s\.json holds an array, expected an object/],
  ['nests without end', `{"a": ${'['.repeat(500_000)}`, /s\.json is not valid JSON/],
])('are refused with the place for %s', (_what, text, says) => {
  const file = { program: 'claude', name: 's.json' } as const;
  expect(() => withEntries(text, [{ path: ['hooks', 'Stop'], value: 1 }], file)).toThrow(says);
  expect(() => ownEntries(text, file)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
});
