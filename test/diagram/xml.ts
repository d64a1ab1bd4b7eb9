/** An element of an SVG document, as far as these tests use it. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  text: string;
}

const NAME = String.raw`[A-Za-z][\w-]*`;
const TOKEN = new RegExp(String.raw`<(/?)(${NAME})((?: ${NAME}="[^"<]*")*)(/?)>|[^<]+`, 'gy');
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
/** Everything but the Char production of XML 1.0. */
const NO_CHAR = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Reads a document that is well-formed and uses no more of XML than elements, attributes and five entities. */
export function parseXml(xml: string): Element {
  if (NO_CHAR.test(xml)) throw new Error('a character that XML does not allow');
  const page: Element = { name: '', attributes: new Map(), children: [], text: '' };
  const open = [page];
  let end = 0;
  for (const [token, slash, name, attributes, isEmpty] of xml.matchAll(TOKEN)) {
    end += token.length;
    const parent = open.at(-1);
    if (!parent) throw new Error(`behind the end: ${token}`);
    if (name === undefined) {
      parent.text += unescape(token);
    } else if (slash === '/') {
      if (open.pop()?.name !== name) throw new Error(`closes what is not open: ${token}`);
    } else {
      const element = { name, attributes: attributesOf(attributes ?? ''), children: [], text: '' };
      parent.children.push(element);
      if (isEmpty !== '/') open.push(element);
    }
  }
  if (end !== xml.length) throw new Error(`no markup: ${xml.slice(end, end + 60)}`);
  const [root, ...others] = page.children;
  if (!root || others.length > 0 || open.length !== 1 || page.text.trim() !== '') throw new Error('no single root');
  return root;
}

/** Every element with this class, in the order of the document. */
export function elementsOf(element: Element, className: string): Element[] {
  const own = element.attributes.get('class')?.split(' ').includes(className) ? [element] : [];
  return [...own, ...element.children.flatMap((child) => elementsOf(child, className))];
}

export function allElements(element: Element): Element[] {
  return [element, ...element.children.flatMap((child) => allElements(child))];
}

function attributesOf(source: string): Map<string, string> {
  const pairs = [...source.matchAll(new RegExp(` (${NAME})="([^"]*)"`, 'g'))];
  const attributes = new Map(pairs.map(([, name = '', value = '']) => [name, unescape(value)]));
  if (attributes.size !== pairs.length) throw new Error(`an attribute twice: ${source}`);
  return attributes;
}

function unescape(text: string): string {
  return text.replace(/&([^;]*);?/g, (entity, name: string) => {
    const char = ENTITIES[name];
    if (char === undefined || !entity.endsWith(';')) throw new Error(`no entity: ${entity}`);
    return char;
  });
}
