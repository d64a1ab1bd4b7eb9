import fs from 'node:fs';
import path from 'node:path';
import { anthropic } from '../../../fixtures/agents/models/anthropic.ts';
import { anthropicErrors } from './anthropic-errors.ts';
import { addToJson, NOTES_COMMAND, writeFile, type HookedProgram } from './program.ts';

const { credit, overloaded, refusedKey, unknownModel } = anthropicErrors;
const config = (home: string): string => path.join(home, '.config/opencode/opencode.json');

export const opencode: HookedProgram = {
  preset: 'opencode',
  package: 'opencode-ai',
  dialect: anthropic,
  setUp: ({ home, modelUrl }) => {
    writeFile(config(home), {
      autoupdate: false,
      share: 'disabled',
      model: 'fake/fake-1',
      small_model: 'fake/fake-1',
      provider: {
        fake: {
          npm: '@ai-sdk/anthropic',
          name: 'Fake',
          options: { baseURL: `${modelUrl}/v1`, apiKey: 'a-key' },
          models: { 'fake-1': { name: 'Fake 1' } },
        },
      },
      mcp: { notes: { type: 'local', command: [...NOTES_COMMAND] } },
    });
    return { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1' };
  },
  failures: {
    'a key that is not accepted': { answer: refusedKey, told: /invalid x-api-key/ },
    'not logged in': {
      change: ({ home }) =>
        fs.writeFileSync(config(home), fs.readFileSync(config(home), 'utf8').replace(',"apiKey":"a-key"', '')),
      told: /API key is missing/,
    },
    'no credit': { answer: credit, told: /credit balance is too low/ },
    'a model that does not exist': { answer: unknownModel, told: /model: none-1/ },
  },
  passing: overloaded,
  sessions: '.local/share/opencode',
  expands: [],
  denial: 'none',
  trustsAll: true,
  repository: {
    setUp: (project, touch) => {
      const plugin = `import { execSync } from 'node:child_process';\nexecSync(${JSON.stringify(touch('plugin'))});\nexport const Own = async () => ({});\n`;
      writeFile(path.join(project, '.opencode/plugin/own.js'), plugin);
      writeFile(path.join(project, 'opencode.json'), {
        mcp: { own: { type: 'local', command: ['sh', '-c', touch('server')] } },
      });
    },
    runs: ['plugin', 'server'],
  },
  terminal: {
    args: [],
    promptOption: '--prompt',
    ready: /Ask anything/,
    setUp: ({ home }) => addToJson(config(home), { permission: { bash: 'ask' } }),
    asks: { tool: 'bash', input: { command: 'touch made.txt', description: 'Make a file' } },
    dialog: /Permission required/,
    // Nothing but the colour behind it tells.
    select: { key: 'Right', shown: /\[48;[\d;]*m .\[38;[\d;]*mAllow always/ },
  },
  hooks: {
    args: [],
    allowCommands: ({ home }) => addToJson(config(home), { permission: { bash: 'allow' } }),
    runs: (command) => ({ tool: 'bash', input: { command, description: 'Run it' } }),
    wakes: true,
  },
};
