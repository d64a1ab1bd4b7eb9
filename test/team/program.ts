import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** The words that start the main job from its sources, as `npm start` does. */
export const FROM_SOURCE: readonly string[] = [
  '--import',
  import.meta.resolve('tsx'),
  path.join(ROOT, 'machines', 'team', 'main.ts'),
];

/** The same as it is installed: each of its processes starts in a third of the time. */
export const AS_BUILT: readonly string[] = [path.join(ROOT, 'dist', 'machines', 'team', 'main.js')];
