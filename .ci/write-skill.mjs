// Writes the Agent Skill of the package, which is made of the table of commands: `npm run write:skill`. A test compares it.
import fs from 'node:fs';
import path from 'node:path';
import { createCommands } from '../src/cli/command-table.ts';
import { skillText } from '../src/cli/skill-text.ts';

const file = path.join(import.meta.dirname, '../plugins/mailroom/skills/mailroom/SKILL.md');
fs.mkdirSync(path.dirname(file), { recursive: true });
fs.writeFileSync(file, skillText(createCommands(() => Promise.reject(new Error('nothing is run here')))));
console.log(`wrote ${path.relative(process.cwd(), file)}`);
