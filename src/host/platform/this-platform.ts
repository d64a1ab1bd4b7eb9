import { blind } from './blind.ts';
import { darwin } from './darwin.ts';
import { linux } from './linux.ts';
import type { Platform } from './platform.ts';

let chosen: Platform | undefined;

/** Chosen on first use, once per process. */
export function thisPlatform(): Platform {
  chosen ??= choose();
  return chosen;
}

function choose(): Platform {
  if (process.platform === 'darwin') return darwin;
  return process.platform === 'win32' ? blind : linux;
}
