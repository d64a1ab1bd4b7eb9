import fs from 'node:fs';
import path from 'node:path';

/** Writes JSON that is there whole or not at all, also after a loss of power. */
export function writeStored(file: string, value: unknown): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const descriptor = fs.openSync(`${file}.new`, 'w');
  try {
    fs.writeFileSync(descriptor, `${JSON.stringify(value)}\n`);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(`${file}.new`, file);
}

/** Undefined when there is none. */
export function readStored(file: string): unknown {
  if (!fs.existsSync(file)) return undefined;
  return JSON.parse(fs.readFileSync(file, 'utf8')) as unknown;
}
