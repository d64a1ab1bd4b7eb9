import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { CONFIG_SHAPES, hookEntries, type ConfiguredProgram } from '../../src/hooks/install/config-shapes.ts';
import { ownEntries, withEntries, withoutEntries } from '../../src/hooks/install/config-text.ts';
import { hookCommand } from '../../src/hooks/install/hook-command.ts';
import { MARK, settingsText } from './settings-text.ts';

const PROGRAMS = Object.keys(CONFIG_SHAPES) as ConfiguredProgram[];

function bench(program: ConfiguredProgram) {
  const file = { program, name: 'settings.json' };
  const entries = hookEntries(program, (event) => hookCommand(program, event, {}));
  return {
    entries,
    add: (text: string | undefined) => withEntries(text, entries, file),
    own: (text: string) => ownEntries(text, file),
    remove: (text: string, before: string | undefined) => withoutEntries(text, before, file),
  };
}

describe.each(PROGRAMS)('settings of %s, whatever they are', (program) => {
  const { entries, add, own, remove } = bench(program);
  const settings = settingsText(program);

  it('keep all that was there, in its order, and get every entry once', () => {
    fc.assert(
      fc.property(settings, (text) => {
        const added = add(text);
        expect(inOrder(own(added).entries)).toEqual(inOrder(entries));
        const [was, is] = [parse(plain(text)), parse(plain(added))] as Record<string, unknown>[];
        expect(Object.keys(is ?? {}).filter((key) => key in (was ?? {}))).toEqual(Object.keys(was ?? {}));
        expect(parse(plain(remove(added, text) ?? ''))).toEqual(was);
      }),
    );
  });

  it('are the same bytes again when the entries are taken out', () => {
    fc.assert(
      fc.property(settings, (text) => {
        expect(remove(add(text), text)).toBe(text);
      }),
    );
  });

  it('keep exactly what somebody else has changed meanwhile', () => {
    const edits = ['"@mark@": 1', `"new": [{ "a": "}" }], ${MARK}`, `${MARK}, "other": {}`];
    fc.assert(
      fc.property(settings, fc.constantFrom(...edits), (text, put) => {
        fc.pre(text.includes(MARK));
        const edit = (one: string): string => one.replaceAll(MARK, () => put);
        expect(remove(edit(add(text)), text)).toBe(edit(text));
      }),
    );
  });

  it('lose only the entries when there is no backup any more', () => {
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
    );
  });
});

function plain(text: string): string {
  return text.replace(/^\uFEFF/, '');
}

function inOrder(entries: readonly unknown[]): string[] {
  return entries.map((entry) => JSON.stringify(entry)).sort();
}
