/**
 * The words of a line as a shell would divide it: at spaces, with quotes and backslashes, and nothing else. Undefined when
 * a quote is not closed.
 */
export function shellWordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  const TOKEN = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(.)/gsu;
  let word: string | undefined;
  for (const [token, single, double, escaped, plain, unclosed] of line.matchAll(TOKEN)) {
    if (unclosed !== undefined) return undefined;
    const part = single ?? double?.replaceAll(/\\([\\"$`])/g, '$1') ?? escaped ?? plain;
    if (part === undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + part;
    if (token === '') return undefined;
  }
  if (word !== undefined) words.push(word);
  return words;
}
