const DEPTH_MAX = 1000;

/**
 * The path of the first part of a value that would not survive JSON unchanged (a Map, a Date, NaN, a function, a cycle
 * …), such as `$.tasks[2].due`; undefined if all of it would. JSON leaves out properties that are undefined, as
 * everyone expects, so they are no fault.
 */
export function findNonJson(value: unknown, path = '$', depth = 0): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : path;
    case 'object':
      break;
    default:
      return path;
  }
  if (value === null) return undefined;
  if (depth > DEPTH_MAX) return `${path} (nested without end)`;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = findNonJson(value[index], `${path}[${index}]`, depth + 1);
      if (found) return found;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) return path;
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined) continue;
    const found = findNonJson(part, `${path}.${key}`, depth + 1);
    if (found) return found;
  }
  return undefined;
}

/**
 * The value as it comes back from JSON: without undefined properties. Only for values in which `findNonJson` finds
 * nothing.
 */
export function withoutUndefined<T>(value: T): T {
  return value !== undefined && hasUndefined(value) ? (JSON.parse(JSON.stringify(value)) as T) : value;
}

function hasUndefined(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined;
  if (Array.isArray(value)) return value.some(hasUndefined);
  for (const key in value) if (hasUndefined((value as Record<string, unknown>)[key])) return true;
  return false;
}
