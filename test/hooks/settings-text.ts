import fc from 'fast-check';
import { CONFIG_SHAPES, type ConfiguredProgram } from '../../src/hooks/install/config-shapes.ts';

/** Stands in generated settings as a property, where somebody edits later. */
export const MARK = '"@mark@": 0';

interface Style {
  readonly unit: string;
  readonly eol: string;
  readonly isOneLine: boolean;
  readonly hasFinalBreak: boolean;
  readonly hasTrailingCommas: boolean;
  readonly hasComments: boolean;
  readonly hasMark: boolean;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const word = fc.constantFrom(
  'a',
  'b c',
  'model',
  '//',
  '/* x */',
  ',',
  '}',
  '"q"',
  '\\',
  'hooks',
  'Stop',
  'é\u2028',
  '',
);
const scalar: fc.Arbitrary<Json> = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), word);
const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'env', 'list', 'deep', 'x y'), tie('tree'), { maxKeys: 3 }),
  ),
}));

/** Hooks of others, some of them for the events that ours are for. */
function hooksOf(program: ConfiguredProgram): fc.Arbitrary<Json> {
  const { isGrouped, commandKey } = CONFIG_SHAPES[program];
  const command = fc.record({
    type: fc.constant('command'),
    [commandKey]: fc.constantFrom('lint', 'mailroom hook x y'),
  });
  const group = fc.record(
    { matcher: fc.constantFrom('*', 'Bash'), hooks: fc.array(command, { maxLength: 2 }) },
    { requiredKeys: ['hooks'] },
  );
  const events = ['Stop', 'SessionStart', 'AfterTool', 'stop', 'agentStop', 'PreToolUse'];
  const list = fc.array((isGrouped ? group : command) as fc.Arbitrary<Json>, { maxLength: 2 });
  return fc.dictionary(fc.constantFrom(...events), list, { maxKeys: 3 });
}

/** Settings of a program as people and programs write them, valid for it. */
export function settingsText(program: ConfiguredProgram): fc.Arbitrary<string> {
  const { dialect, constants } = CONFIG_SHAPES[program];
  const style: fc.Arbitrary<Style> = fc.record({
    unit: fc.constantFrom('\t', '  ', '    ', ' '),
    eol: fc.constantFrom('\n', '\r\n'),
    isOneLine: fc.boolean(),
    hasFinalBreak: fc.boolean(),
    hasTrailingCommas: dialect.trailingCommas ? fc.boolean() : fc.constant(false),
    hasComments: dialect.comments ? fc.boolean() : fc.constant(false),
    hasMark: fc.boolean(),
  });
  const content = fc
    .tuple(
      fc.dictionary(fc.constantFrom('env', 'model', 'z'), tree, { maxKeys: 3 }),
      fc.option(hooksOf(program)),
      fc.boolean(),
    )
    .map(([others, hooks, isLast]): Json => {
      const all = {
        ...(Object.keys(constants).length > 0 && isLast ? (constants as { version: number }) : {}),
        ...others,
      };
      if (hooks === null) return all;
      return isLast ? { ...all, hooks } : { hooks, ...all };
    });
  // Not in one line: the blanks of a document in one line are not what this is about.
  return fc
    .tuple(content, style, fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }), fc.constantFrom('', '\uFEFF', '\n'))
    .map(([value, how, draws, start]) => start + createWriter(how, draws)(value) + (how.hasFinalBreak ? how.eol : ''));
}

function createWriter(style: Style, draws: readonly number[]): (value: Json) => string {
  let drawn = 0;
  const draw = (): number => draws[drawn++ % draws.length] ?? 0;
  const { eol, isOneLine, hasTrailingCommas, hasComments } = style;
  const comment = (isBlock: boolean): string => {
    if (!hasComments || draw() > 1) return '';
    return isOneLine || isBlock ? ' /* , { */ ' : ' // , } "  ';
  };
  const write = (value: Json, outer: string): string => {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    const items = Array.isArray(value)
      ? value.map((one) => (inner: string) => write(one, inner))
      : Object.entries(value).map(
          ([key, one]) =>
            (inner: string) =>
              `${JSON.stringify(key)}: ${write(one, inner)}`,
        );
    if (!Array.isArray(value) && style.hasMark && draw() > 2) items.splice(draw() % (items.length + 1), 0, () => MARK);
    if (items.length === 0) {
      const blank = ['', ' ', isOneLine ? '' : eol, isOneLine ? '  ' : `${eol}${outer}`][draw() % 4] ?? '';
      return `${open}${blank}${comment(true)}${close}`;
    }
    const last = hasTrailingCommas && draw() > 2 ? ',' : '';
    // A short one may stand on one line within others that do not.
    if (isOneLine || (draw() === 0 && !hasComments)) {
      return `${open}${items.map((item) => item(outer)).join(draw() > 2 ? ', ' : ',')}${last}${close}`;
    }
    const inner = outer + style.unit;
    const lines = items.map((item, index) => {
      const above = comment(false);
      const isLast = index === items.length - 1;
      return `${above}${eol}${inner}${item(inner)}${comment(true)}${isLast ? last : ','}`;
    });
    return `${open}${lines.join('')}${comment(false)}${eol}${outer}${close}`;
  };
  return (value) => write(value, '');
}
