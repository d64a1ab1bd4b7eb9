import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { createIdSource } from '../../src/message/message-id.ts';
import { createRandom } from '../run/seed.ts';

const random = createRandom();

export interface Planned {
  readonly number: number;
  readonly id: string;
  readonly to: string;
  readonly chars: number;
}

/** What one sending process is to send, and where it writes down what was confirmed; both outside the room. */
export interface Plan {
  readonly planned: readonly Planned[];
  readonly planFile: string;
  readonly confirmedFile: string;
}

const CHARS_MAX = 2_000;
/** `00042` and a line feed. */
const CONFIRMED_LINE_BYTES = 6;

export function writePlan(options: {
  directory: string;
  sender: number;
  mailboxes: readonly string[];
  messages: number;
}): Plan {
  const { directory, sender, mailboxes, messages } = options;
  const ids = createIdSource(randomBytes);
  const now = Date.now();
  const planned = Array.from({ length: messages }, (_, number) => ({
    number,
    id: ids.next(now),
    to: mailboxes[Math.floor(random() * mailboxes.length)] ?? '',
    chars: Math.floor(random() * CHARS_MAX),
  }));
  const planFile = path.join(directory, `plan-${sender}.json`);
  fs.writeFileSync(planFile, JSON.stringify(planned));
  return { planned, planFile, confirmedFile: path.join(directory, `confirmed-${sender}`) };
}

/** How many were confirmed so far, without reading them. */
export function countConfirmed({ confirmedFile }: Plan): number {
  return Math.floor((fs.statSync(confirmedFile, { throwIfNoEntry: false })?.size ?? 0) / CONFIRMED_LINE_BYTES);
}

export function confirmedOf({ planned, confirmedFile }: Plan): Planned[] {
  const lines = fs.existsSync(confirmedFile) ? fs.readFileSync(confirmedFile, 'utf8') : '';
  const numbers = new Set(
    lines
      .slice(0, lines.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean)
      .map(Number),
  );
  return planned.filter(({ number }) => numbers.has(number));
}

export interface Acted {
  readonly id: string;
  readonly mailbox: string;
  readonly what: string;
}

/** What a reader wrote down; a line that a kill cut short was acted on by nobody. */
export function actedIn(file: string): Acted[] {
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return whole
    .map((line) => line.split(' '))
    .filter(({ length }) => length === 3)
    .map(([id = '', mailbox = '', what = '']) => ({ id, mailbox, what }));
}
