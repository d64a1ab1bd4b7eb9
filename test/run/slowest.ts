import path from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const FILES_SHOWN = 10;

/** Prints at the end the files that took the most processor time. */
export class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module) => ({
      name: path.relative(module.project.config.root, module.moduleId),
      cpuMs: module.meta().cpuMs ?? 0,
      wallMs: module.diagnostic().duration,
      tests: [...module.children.allTests()].length,
    }));
    const shown = Number(process.env['MAILROOM_SLOWEST'] ?? FILES_SHOWN);
    const total = files.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    const sorted = files.toSorted((a, b) => b.cpuMs - a.cpuMs).slice(0, shown);
    console.log(`\nProcessor time of ${files.length} files: ${seconds(total)}. The ${sorted.length} slowest:`);
    for (const { name, cpuMs, wallMs, tests } of sorted) {
      console.log(
        `${seconds(cpuMs).padStart(10)}  ${seconds(wallMs).padStart(10)} wall  ${String(tests).padStart(4)} tests  ${name}`,
      );
    }
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
