import fs from 'node:fs';
import path from 'node:path';
import { SaxesParser } from 'saxes';

/** Where a test command says which tests failed. */
export interface TestReport {
  readonly format: 'junit' | 'tap';
  /** A file or a directory of XML files, relative to the checkout; for TAP also `-`, the command's standard output. */
  readonly path: string;
}

/** What stands for the standard output of the command. */
export const STANDARD_OUTPUT = '-';

const REPORT_BYTES_MAX = 64 * 1024 * 1024;
const NAME_SEPARATOR = ' › ';

/**
 * The names of the failed tests in a report, sorted, each once. Throws an Error that names the file if there is no report, or it
 * cannot be read.
 */
export function failingTests(
  report: TestReport,
  { directory, stdout }: { directory: string; stdout: string },
): string[] {
  const names = report.format === 'tap' ? failingInTap(tapOf(report, directory, stdout)) : junitOf(report, directory);
  return [...new Set(names)].sort();
}

/** Removes the report of an earlier run, so that it is never taken for that of the next one. */
export function removeReport(report: TestReport, directory: string): void {
  if (report.path === STANDARD_OUTPUT) return;
  for (const file of reportFiles(report, directory)) fs.rmSync(file, { force: true });
}

function tapOf(report: TestReport, directory: string, stdout: string): string {
  return report.path === STANDARD_OUTPUT ? stdout : readReport(path.join(directory, report.path));
}

function junitOf(report: TestReport, directory: string): string[] {
  const files = reportFiles(report, directory);
  if (files.length === 0) throw new Error(`The test command wrote no report ${path.join(directory, report.path)}.`);
  return files.flatMap((file) => failingInJunit(readReport(file), file));
}

function reportFiles(report: TestReport, directory: string): string[] {
  const place = path.join(directory, report.path);
  const facts = fs.statSync(place, { throwIfNoEntry: false });
  if (!facts?.isDirectory()) return facts ? [place] : [];
  const names = fs.readdirSync(place).filter((name) => name.endsWith('.xml'));
  return names.sort().map((name) => path.join(place, name));
}

function readReport(file: string): string {
  const facts = fs.statSync(file, { throwIfNoEntry: false });
  if (!facts?.isFile()) throw new Error(`The test command wrote no report ${file}.`);
  if (facts.size > REPORT_BYTES_MAX) {
    throw new Error(`The report ${file} has ${facts.size} bytes; expected at most ${REPORT_BYTES_MAX}.`);
  }
  return fs.readFileSync(file, 'utf8');
}

/**
 * The tests in a JUnit report that failed or had an error: `class › name`. The format is that of Ant's JUnit task, which pytest,
 * Jest, Surefire and others write.
 */
export function failingInJunit(xml: string, file = 'the report'): string[] {
  const failing: string[] = [];
  const open: (string | undefined)[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    if (name === 'testcase') {
      open.push([attributes['classname'], attributes['name']].filter(Boolean).join(NAME_SEPARATOR));
    } else {
      const test = open.findLast((one) => one !== undefined);
      if ((name === 'failure' || name === 'error') && test !== undefined) failing.push(test);
      open.push(undefined);
    }
  });
  parser.on('closetag', () => void open.pop());
  let fault: Error | undefined;
  parser.on('error', (error) => void (fault ??= error));
  parser.write(xml).close();
  if (fault) throw new Error(`${file} is no XML: ${fault.message}.`);
  return failing;
}

const RESULT =
  /^(?<indent> *)(?<not>not )?ok(?=\s|$)(?: +\d+)?(?: +-)? *(?<name>[^#]*?) *(?:# *(?<directive>skip|todo)\b.*)?$/i;
const SUBTEST = /^(?<indent> *)# Subtest: (?<name>.*)$/;

/** The tests in TAP (https://testanything.org) that failed and are neither skipped nor to do, subtests by their path. */
export function failingInTap(text: string): string[] {
  const failing: string[] = [];
  let parents: { readonly depth: number; readonly name: string }[] = [];
  let isDiagnostic = false;
  for (const line of text.split(/\r?\n/)) {
    // A block of YAML about the test before it.
    if (/^ *(?:---|\.\.\.)$/.test(line)) isDiagnostic = line.endsWith('---');
    if (isDiagnostic) continue;
    const subtest = SUBTEST.exec(line)?.groups;
    const result = subtest ? undefined : RESULT.exec(line)?.groups;
    const depth = (subtest ?? result)?.['indent']?.length;
    if (depth === undefined) continue;
    parents = parents.filter((one) => one.depth < depth);
    const name = (subtest ?? result)?.['name'] ?? '';
    if (subtest) parents.push({ depth, name });
    else if (result?.['not'] !== undefined && result['directive'] === undefined) {
      failing.push([...parents.map((one) => one.name), name].join(NAME_SEPARATOR));
    }
  }
  return failing;
}
