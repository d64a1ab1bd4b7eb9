// Writes the JSON Schema of mailroom.team.json, which is made of the one that checks it: `npm run write:schema`. A test compares it.
import fs from 'node:fs';
import path from 'node:path';
import { format } from 'prettier';
import { teamFileSchema } from '../machines/team/team-file.ts';

const file = path.join(import.meta.dirname, '../docs/team.schema.json');
fs.writeFileSync(file, await format(JSON.stringify(teamFileSchema()), { parser: 'json', printWidth: 120 }));
console.log(`wrote ${path.relative(process.cwd(), file)}`);
