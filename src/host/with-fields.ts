/**
 * `{ ...base, ...fields }`, for objects made many thousand times a second. A literal that begins with a spread and has
 * further fields gets a hidden class of its own each time in V8 (11.3, by `%HaveSameMap`), which takes ten times as
 * long, and code that reads it is never fast. Only for objects whose fields are named in the code, not by a sender:
 * `__proto__` would be taken for the prototype.
 */
export function withFields<TBase extends object, TFields extends object>(
  base: TBase,
  fields: TFields,
): Omit<TBase, keyof TFields> & TFields {
  return Object.assign({}, base, fields);
}
