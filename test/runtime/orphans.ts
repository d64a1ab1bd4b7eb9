import fs from 'node:fs';

/** Command lines of processes that mention this directory. */
export function processesAbout(directory: string): string[] {
  const found: string[] = [];
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (line.includes(directory) || fs.readFileSync(`/proc/${pid}/environ`, 'utf8').includes(directory))
        found.push(`${pid} ${line.slice(0, 200)}`);
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}
