import path from 'node:path';
import { anthropic } from '../../../fixtures/agents/models/anthropic.ts';
import { addToJson, HOME_SECRET, NOTES_COMMAND, PROJECT_SECRET, writeFile, type HookedProgram } from './program.ts';
import { anthropicErrors } from './anthropic-errors.ts';

const KEY = 'sk-ant-a-key-for-the-fake-on-loopback';
const [command, ...args] = NOTES_COMMAND;
const { credit, overloaded, refusedKey, unknownModel } = anthropicErrors;
const settings = (home: string): string => path.join(home, '.claude/settings.json');

export const claude: HookedProgram = {
  preset: 'claude',
  package: '@anthropic-ai/claude-code',
  dialect: anthropic,
  setUp: ({ home, project, modelUrl }) => {
    writeFile(path.join(home, '.claude.json'), {
      hasCompletedOnboarding: true,
      theme: 'dark',
      customApiKeyResponses: { approved: [KEY.slice(-20)], rejected: [] },
      mcpServers: { notes: { command, args } },
      projects: { [project]: { hasTrustDialogAccepted: true } },
    });
    writeFile(settings(home), {});
    return {
      ANTHROPIC_BASE_URL: modelUrl,
      ANTHROPIC_API_KEY: KEY,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
      DISABLE_AUTOUPDATER: '1',
    };
  },
  failures: {
    'a key that is not accepted': { answer: refusedKey, told: /key is not accepted/ },
    'not logged in': { change: (_, env) => void delete env['ANTHROPIC_API_KEY'], told: /Not logged in/ },
    'no credit': { answer: credit, told: /Credit balance is too low/ },
    'a model that does not exist': { answer: unknownModel, told: /issue with the selected model/ },
  },
  passing: overloaded,
  sessions: '.claude/projects',
  expands: [
    { form: '@file', line: 'look at @note.txt', shows: PROJECT_SECRET },
    { form: '@"a file"', line: 'look at @"a note.txt" too', shows: PROJECT_SECRET },
    { form: '@~/file', line: 'look at @~/secret.txt', shows: HOME_SECRET },
    { form: '@directory', line: '@sub', shows: 'only-in-a-listing' },
    { form: '@agent-…', line: 'ask @agent-general-purpose about it', shows: 'desire to invoke the agent' },
  ],
  hang: ({ home }, marker) => {
    const hook = { type: 'command', command: `sleep 600; touch ${marker}`, timeout: 600 };
    addToJson(settings(home), { hooks: { SessionEnd: [{ hooks: [hook] }] } });
  },
  denial: 'named',
  trustsAll: true,
  repository: {
    setUp: (project, touch) => {
      writeFile(path.join(project, '.claude/settings.json'), {
        enableAllProjectMcpServers: true,
        hooks: { SessionStart: [{ hooks: [{ type: 'command', command: touch('hook') }] }] },
      });
      writeFile(path.join(project, '.mcp.json'), {
        mcpServers: { own: { command: 'sh', args: ['-c', touch('server')] } },
      });
    },
    runs: ['hook', 'server'],
  },
  terminal: {
    args: ['--permission-mode', 'default'],
    ready: /^❯/m,
    setUp: () => {},
    asks: { tool: 'Bash', input: { command: 'touch made.txt', description: 'Make a file' } },
    dialog: /Do you want to proceed\?/,
    select: { key: 'Down', shown: /❯[^\n]*2\./ },
  },
  hooks: {
    args: [],
    allowCommands: ({ home }) => addToJson(settings(home), { permissions: { allow: ['Bash'] } }),
    runs: (line) => ({ tool: 'Bash', input: { command: line, description: 'Run it' } }),
    wakes: true,
  },
};
