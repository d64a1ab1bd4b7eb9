import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Library, WorkflowLibrary } from './row.ts';

/** The built library of a directory, as a program imports it. */
export async function loadBuilt(dist: string): Promise<{ library: Library; workflows: WorkflowLibrary }> {
  const load = (name: string): Promise<object> => import(pathToFileURL(path.join(dist, name)).href);
  const library = (await load('index.js')) as Library;
  const workflows = { ...(await load('workflow.js')), ...(await load('runtime.js')) } as WorkflowLibrary;
  return { library, workflows };
}
