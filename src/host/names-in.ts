import { errnoOf, type FileSystem } from './file-system.ts';

/** The names in a directory; none where there is no directory to look into. */
export function namesIn(files: FileSystem, path: string): string[] {
  try {
    return files.readdir(path);
  } catch (error) {
    if (NO_DIRECTORY.includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}

const NO_DIRECTORY = ['ENOENT', 'ENOTDIR', 'ELOOP'];
