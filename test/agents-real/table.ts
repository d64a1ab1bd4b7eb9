import type { TestContext } from 'vitest';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import type { Installed } from './install.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** What a test saw, for the table. */
    outcome?: string;
  }
}

/** Says what the test saw, in the words of the table. */
export function outcome({ task }: TestContext, text: string): void {
  task.meta.outcome = text;
}

/** Prints what became of each program, in its version, in each situation: the table of docs/agents.md. */
export class TableReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const installed = this.#vitest?.getRootProject().getProvidedContext().installed ?? {};
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const programs = Object.keys(installed);
    const situations = [...new Set(tests.map(({ name }) => name))];
    const cellOf = (situation: string, program: string): string => {
      const test = tests.find(
        ({ name, parent }) => name === situation && parent.type === 'suite' && parent.name === program,
      );
      return test ? outcomeOf(test) : '–';
    };
    const rows = [
      ['situation', ...programs.map((program) => `\`${program}\` ${versionOf(installed[program])}`)],
      ['---', ...programs.map(() => '---')],
      ...situations.map((situation) => [situation, ...programs.map((program) => cellOf(situation, program))]),
    ];
    console.log(`\n${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`);
  }
}

function versionOf(installed: Installed | undefined): string {
  return installed !== undefined && 'version' in installed ? installed.version : 'not installed';
}

function outcomeOf(test: TestCase): string {
  const result = test.result();
  if (result.state === 'passed') return test.meta().outcome ?? 'as expected';
  if (result.state === 'skipped') return result.note === undefined ? 'left out' : `not tried: ${result.note}`;
  return 'FAILED';
}
