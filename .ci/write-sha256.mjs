// Compiles src/host/sha256.wat into the module that the library loads: `npm run write:sha256`. A test compares the two.
import fs from 'node:fs';
import path from 'node:path';
import loadWabt from 'wabt';

const host = path.join(import.meta.dirname, '..', 'src', 'host');
const file = path.join(host, 'sha256-module.ts');
const wabt = await loadWabt();
const parsed = wabt.parseWat('sha256.wat', fs.readFileSync(path.join(host, 'sha256.wat'), 'utf8'));
const base64 = Buffer.from(parsed.toBinary({}).buffer).toString('base64');
fs.writeFileSync(
  file,
  `/** \`sha256.wat\`, compiled, in base64: \`npm run write:sha256\` writes this file. */\nexport const SHA256_MODULE =\n  '${base64}';\n`,
);
console.log(`wrote ${path.relative(process.cwd(), file)}`);
