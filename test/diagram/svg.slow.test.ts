import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { createMachine, fromPromise, setup } from 'xstate';
import { drawSvg } from '../../src/diagram/svg.ts';
import { textWidth, wrapText } from '../../src/diagram/layout.ts';
import { graphName } from '../../src/diagram/labels.ts';
import { allElements, elementsOf, parseXml, type Element } from './xml.ts';
import { HOSTILE_NAMES, machines } from './machines.ts';
import { amount } from '../run/amount.ts';

const RUNS = amount(6, { long: 15 });

const ship = setup({
  actors: { runTests: fromPromise(async () => undefined) },
  guards: { isReady: () => true },
  actions: { notify: () => undefined },
}).createMachine({
  id: 'ship',
  initial: 'plan',
  on: { STOP: '.end', PING: { actions: 'notify' } },
  states: {
    plan: {
      entry: 'notify',
      on: { GO: { target: 'build', guard: 'isReady' }, BOTH: { target: ['build.tests.ok', 'build.docs.fin'] } },
    },
    build: {
      type: 'parallel',
      onDone: 'end',
      states: {
        tests: {
          initial: 'run',
          states: { run: { invoke: { src: 'runTests', onDone: 'ok', onError: 'run' } }, ok: { type: 'final' } },
        },
        docs: {
          initial: 'write',
          states: { write: { on: { DONE: 'fin' } }, last: { type: 'history' }, fin: { type: 'final' } },
        },
      },
    },
    end: { type: 'final' },
  },
});

describe('drawSvg', () => {
  it('shows every state, event and invoked actor of a machine', async () => {
    const picture = parseXml(await drawSvg(ship));
    expect(textsOf(picture, 'title')).toEqual([
      'ship',
      'plan',
      'build',
      'tests',
      'run',
      'ok',
      'docs',
      'write',
      'last (history)',
      'fin',
      'end',
    ]);
    expect(textsOf(picture, 'line')).toEqual(['PING / notify', 'entry / notify', '⚙ runTests']);
    expect(labelsOf(picture).sort()).toEqual(
      ['STOP', 'GO [isReady]', 'BOTH', 'onDone', 'done(runTests)', 'error(runTests)', 'DONE'].sort(),
    );
    expect(picture.children.find(({ name }) => name === 'title')?.text).toBe('ship');
  });

  it('has an arrow for every end of a transition and a dot where a state begins', async () => {
    const picture = parseXml(await drawSvg(ship));
    const arrows = elementsOf(picture, 'solid').filter(({ name }) => name === 'path');
    // Seven transitions, one of which ends twice, and three initial states.
    expect(arrows).toHaveLength(7 + 1 + 3);
    expect(elementsOf(picture, 'solid').filter(({ name }) => name === 'circle')).toHaveLength(3);
    expect(elementsOf(picture, 'solid').filter(({ name }) => name === 'rect')).toHaveLength(1);
    expect(elementsOf(picture, 'start')).toHaveLength(1);
    expect(elementsOf(picture, 'region')).toHaveLength(2);
  });

  it('marks the current states, and only these', async () => {
    const picture = parseXml(await drawSvg(ship, { value: { build: { tests: 'ok', docs: 'write' } } }));
    const marked = textsOf(picture, 'title').filter((title) => title.startsWith('▶ '));
    expect(marked).toEqual(['▶ build', '▶ tests', '▶ ok', '▶ docs', '▶ write']);
    expect(elementsOf(picture, 'active')).toHaveLength(5);
    expect(await drawSvg(ship)).not.toContain('▶');
  });

  it('draws a machine without states as one box', async () => {
    const picture = parseXml(await drawSvg(createMachine({ id: 'idle', on: { PING: {} } })));
    expect(textsOf(picture, 'title')).toEqual(['idle']);
    expect(textsOf(picture, 'line')).toEqual(['PING (ignored)']);
    expect(elementsOf(picture, 'edge')).toHaveLength(0);
  });

  it('always draws the same machine the same way', async () => {
    expect(await drawSvg(ship)).toBe(await drawSvg(ship));
  });

  it('fetches nothing and runs nothing', async () => {
    const states = Object.fromEntries(HOSTILE_NAMES.map((name) => [name, { on: { [`${name}!`]: {} } }]));
    const svg = await drawSvg(createMachine({ id: '</title><script>', initial: 'a-b', states }));
    const picture = parseXml(svg);
    const elements = allElements(picture);
    expect(new Set(elements.map(({ name }) => name))).toEqual(
      new Set(['svg', 'title', 'style', 'rect', 'circle', 'g', 'text', 'path']),
    );
    const attributes = new Set(elements.flatMap(({ attributes: own }) => [...own.keys()]));
    expect([...attributes].filter((name) => /^on|href|src|style/i.test(name))).toEqual([]);
    expect(elements.filter(({ name }) => name === 'style')).toHaveLength(1);
    expect(elements.find(({ name }) => name === 'style')?.text).not.toMatch(/url|import|src|\\/i);
    expect([...textsOf(picture, 'title')].sort()).toEqual(
      ['</title><script>', ...HOSTILE_NAMES.map((name) => graphName(name))].sort(),
    );
  });

  it('loads the layout only when it draws', () => {
    const sources = ['svg', 'layout', 'mermaid'].map((name) =>
      readFileSync(new URL(`../../src/diagram/${name}.ts`, import.meta.url), 'utf8'),
    );
    for (const source of sources) expect(source).not.toMatch(/^import (?!type)[^;]*'(?:elkjs|#elk)/m);
  });

  it('is wide enough for the text of a state with small children', async () => {
    const machine = createMachine({
      id: 'outer',
      initial: 'inner',
      on: { 'A-LONG-TYPE': { guard: 'isSomethingWithALongName' } },
      states: { inner: { initial: 'a', states: { a: {} } } },
    });
    expectNoOverlap(parseXml(await drawSvg(machine)));
  });

  it('places all text of any machine inside the picture, without overlaps', async () => {
    await fc.assert(
      fc.asyncProperty(machines(), async ({ machine, states, transitions, value, active }) => {
        const picture = parseXml(await drawSvg(machine, { value }));
        expect(textsOf(picture, 'title')).toEqual(
          states.map((state) => {
            if (!state.parent) return 'node-0';
            const kind = state.kind === 'history' ? ' (history)' : '';
            return `${active.has(state) ? '▶ ' : ''}${graphName(state.name)}${kind}`;
          }),
        );
        const shown = [...labelsOf(picture), ...linesOf(picture)].join('\n');
        for (const { event } of transitions) expect(count(shown, graphName(event))).toBeGreaterThan(0);
        expectNoOverlap(picture);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('wrapText', () => {
  it('divides at spaces and keeps every word', () => {
    expect(wrapText('after 5 min [isLate] / tell reviewer', 20)).toEqual(['after 5 min [isLate]', '/ tell reviewer']);
    expect(wrapText('a-word-that-is-too-long b', 5)).toEqual(['a-word-that-is-too-long', 'b']);
  });
});

describe('textWidth', () => {
  it('grows with the text and counts wide characters', () => {
    expect(textWidth('日本', 10)).toBe(20);
    expect(textWidth('e\u0301', 10)).toBe(textWidth('e', 10));
    expect(textWidth('WWW', 10)).toBeGreaterThan(textWidth('iii', 10));
  });
});

function textsOf(picture: Element, className: string): string[] {
  return elementsOf(picture, className).map(({ text }) => text);
}

/** The labels of the edges; a label of several lines is joined again. */
function labelsOf(picture: Element): string[] {
  const groups = allElements(picture).filter(({ children }) => children[0]?.attributes.get('class') === 'behind');
  return groups.map((group) => textsOf(group, 'label').join(' '));
}

function linesOf(picture: Element): string[] {
  const groups = [...elementsOf(picture, 'head'), ...elementsOf(picture, 'text')];
  return groups.map((group) => textsOf(group, 'line').join(' '));
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

interface Extent {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly what: string;
}

/** Computed from the file, not from the layout. */
function expectNoOverlap(picture: Element): void {
  const page = { right: numberOf(picture, 'width'), bottom: numberOf(picture, 'height') };
  const extents = [
    ...elementsOf(picture, 'title'),
    ...elementsOf(picture, 'line'),
    ...elementsOf(picture, 'label'),
  ].map(extentOf);
  const outside = extents.filter((at) => at.left < 0 || at.top < 0 || at.right > page.right || at.bottom > page.bottom);
  expect(outside).toEqual([]);
  const overlapping = extents.flatMap((one, index) =>
    extents.slice(index + 1).flatMap((other) => (isApart(one, other) ? [] : [`${one.what} and ${other.what}`])),
  );
  expect(overlapping).toEqual([]);
}

function extentOf(text: Element): Extent {
  const half = numberOf(text, 'textLength') / 2;
  const center = numberOf(text, 'x');
  const baseline = numberOf(text, 'y');
  return { left: center - half, right: center + half, top: baseline - 10, bottom: baseline + 3, what: text.text };
}

function isApart(one: Extent, other: Extent): boolean {
  return one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;
}

function numberOf({ attributes }: Element, name: string): number {
  return Number(attributes.get(name));
}
