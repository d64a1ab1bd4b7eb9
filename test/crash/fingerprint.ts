import fs from 'node:fs';
import path from 'node:path';

/**
 * What lies where in a room, with everything that is random or a time left out: two rooms with equal fingerprints are in
 * the same state. Sizes stand for contents, because whatever is torn is shorter.
 */
export function fingerprint(directory: string): string {
  if (!fs.existsSync(directory)) return 'no room';
  const lines: string[] = [];
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(directory, file).replace(UUID, 'id').replace(RANDOM, 'random').replace(TIME, 'time');
    lines.push(entry.isDirectory() || name.startsWith('log') ? name : `${name} ${fs.statSync(file).size}`);
  }
  return lines.sort().join('\n');
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const RANDOM = /\b[0-9a-f]{8,}\b/g;
const TIME = /\b\d{13}\b/g;
