import { visible } from '../message/visible.ts';

/**
 * A name as a picture shows it: on one line, controls and half surrogates as escapes. One whose spaces nobody would see
 * is quoted, so that no two names look the same.
 */
export function graphName(name: string): string {
  const text = visible(name).replace(/[\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
  return /^$|^\s|\s$|\s{2}|[^\S ]/.test(text) ? JSON.stringify(text) : text;
}
