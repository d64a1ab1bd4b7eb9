/** What is wrong, in the words of an error as a machine gets it: `{ name, message }`, since it has survived JSON. */
export function faultText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  if (typeof message !== 'string') return JSON.stringify(error);
  return typeof name === 'string' && name !== 'Error' ? `${name}: ${message}` : message;
}
