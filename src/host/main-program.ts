/** The file of the module at this URL, if it is the program that node was started with. */
export function mainProgram(moduleUrl: string): string | undefined {
  const [, program] = process.argv;
  if (program === undefined) return undefined;
  // Not imported: this is part of every machine's file, and importing `node:fs` takes some ms, because it loads
  // everything in it.
  const { realpathSync } = process.getBuiltinModule('node:fs');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  try {
    const file = fileURLToPath(moduleUrl);
    return realpathSync(program) === realpathSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}
