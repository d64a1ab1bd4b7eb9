/** The file of the module at this URL, if it is the program that node was started with. */
export function mainProgram(moduleUrl: string): string | undefined {
  const [, program] = process.argv;
  if (program === undefined) return undefined;
  // Not imported: every machine's file has this in it, and to import `node:fs` takes some ms, because it loads all that is in it.
  const { realpathSync } = process.getBuiltinModule('node:fs');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  try {
    const file = fileURLToPath(moduleUrl);
    return realpathSync(program) === realpathSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}
