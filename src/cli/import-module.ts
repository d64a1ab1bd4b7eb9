/**
 * Imports a module whose name is known only now. It is the one place that does, because the text of a command that is
 * started as a script is given another way to import when it is built.
 */
export function importModule(name: string): Promise<unknown> {
  return import(name);
}
