import path from 'node:path';
import type { UserConsoleLog } from 'vitest';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

const SLOWEST_SHOWN = 10;
const SEED = /\bseed\b/i;
const COUNTS = /\d/;
const COUNTS_CHARS_MAX = 160;

interface FileRow {
  readonly name: string;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Prints at the end of a run the slowest files and every seed; of a long run also what each file counted, in one table. */
export class RunReport implements Reporter {
  readonly #seed: string;
  readonly #isLong: boolean;
  readonly #printed = new Map<string, string[]>();
  #vitest: Vitest | undefined;

  constructor({ seed, isLong }: { seed: string; isLong: boolean }) {
    this.#seed = seed;
    this.#isLong = isLong;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onUserConsoleLog({ taskId = '', content }: UserConsoleLog): void {
    const entity = this.#vitest?.state.getReportedEntityById(taskId);
    if (!entity) return;
    const module = entity.type === 'module' ? entity : entity.module;
    const lines = this.#printed.get(module.moduleId) ?? [];
    lines.push(
      ...content
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => COUNTS.test(line)),
    );
    this.#printed.set(module.moduleId, lines);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map(rowOf);
    if (this.#isLong) this.#printTable(modules, files);
    const slowest = files.toSorted((a, b) => b.cpuMs - a.cpuMs).slice(0, SLOWEST_SHOWN);
    console.log(`\nThe ${slowest.length} slowest of ${files.length} files, by processor time:`);
    for (const { name, cpuMs, wallMs } of slowest) {
      console.log(`${seconds(cpuMs)}  ${seconds(wallMs)} from start to end  ${name}`);
    }
    console.log(`\nMAILROOM_SEED=${this.#seed} repeats the random choices.`);
    for (const [id, lines] of this.#printed) {
      const seeds = lines.filter((line) => SEED.test(line) && !line.includes(this.#seed));
      for (const line of seeds) console.log(`${path.relative('', id)}: ${line.slice(0, COUNTS_CHARS_MAX)}`);
    }
  }

  #printTable(modules: readonly TestModule[], files: readonly FileRow[]): void {
    console.log(
      '\n| file | passed | failed | skipped | processor time | counted |\n| --- | ---: | ---: | ---: | ---: | --- |',
    );
    for (const [at, { name, passed, failed, skipped, cpuMs }] of files.entries()) {
      const counted = (this.#printed.get(modules[at]?.moduleId ?? '') ?? []).map((line) =>
        line.slice(0, COUNTS_CHARS_MAX),
      );
      const cells = [name, passed, failed, skipped, seconds(cpuMs).trim(), counted.join('; ').replaceAll('|', '/')];
      console.log(`| ${cells.join(' | ')} |`);
    }
    const sum = (key: 'passed' | 'failed' | 'skipped'): number => files.reduce((total, row) => total + row[key], 0);
    const cpuMs = files.reduce((total, row) => total + row.cpuMs, 0);
    console.log(
      `| ${files.length} files | ${sum('passed')} | ${sum('failed')} | ${sum('skipped')} | ${seconds(cpuMs).trim()} | |`,
    );
  }
}

function rowOf(module: TestModule): FileRow {
  const states = [...module.children.allTests()].map((test) => test.result().state);
  const count = (state: string): number => states.filter((one) => one === state).length;
  return {
    name: path.relative(module.project.config.root, module.moduleId),
    cpuMs: module.meta().cpuMs ?? 0,
    wallMs: module.diagnostic().duration,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
  };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`.padStart(8);
