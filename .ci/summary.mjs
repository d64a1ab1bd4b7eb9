// Prints the names of what failed or was skipped and, as the last line, the counts: `.ci/summary.mjs <directory of results> [failed step…]`.
// The results are the JSON files of the test runner. Exits 1 when anything failed or nothing passed.
import fs from 'node:fs';
import path from 'node:path';

const [directory = '', ...failedSteps] = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };

for (const file of readResults()) {
  for (const test of file.assertionResults) {
    if (test.status === 'passed') counts.passed++;
    else if (test.status === 'failed') count('failed', test.fullName);
    else count('skipped', test.fullName);
  }
  // A file that could not be loaded, or whose hooks failed, has no failed test to show for it.
  const shown = file.assertionResults.some((/** @type {{ status: string }} */ test) => test.status === 'failed');
  if (file.status === 'failed' && !shown) count('failed', file.name);
}
// The test step has failed, too, when one of its tests has; that is counted already.
const testsFailed = counts.failed > 0;
for (const step of failedSteps) {
  if (!(testsFailed && step.startsWith('npm run test:'))) count('failed', step);
}
if (counts.passed + counts.failed === 0) count('failed', 'no test was run');

console.log(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
);
process.exitCode = counts.failed === 0 ? 0 : 1;

/**
 * @param {'failed' | 'skipped'} outcome
 * @param {string} name
 */
function count(outcome, name) {
  counts[outcome]++;
  console.log(`${outcome}: ${name}`);
}

function readResults() {
  const files = fs.readdirSync(directory).map((name) => fs.readFileSync(path.join(directory, name), 'utf8'));
  return files.flatMap((text) => JSON.parse(text).testResults);
}
