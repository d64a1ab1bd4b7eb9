/**
 * Imports a module whose name is known only now. The commands that are started as scripts do it nowhere else, because a
 * script is given another way to import when it is built.
 */
export function importModule(name: string): Promise<unknown> {
  return import(name);
}
