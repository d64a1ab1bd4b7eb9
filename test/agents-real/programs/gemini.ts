import path from 'node:path';
import { gemini as dialect } from '../../../fixtures/agents/models/gemini.ts';
import type { Answer } from '../../../fixtures/agents/models/model-server.ts';
import { addToJson, NOTES_COMMAND, PROJECT_SECRET, RESOURCE_SECRET, writeFile, type HookedProgram } from './program.ts';

const [command, ...args] = NOTES_COMMAND;
const settings = (home: string): string => path.join(home, '.gemini/settings.json');

function error(code: number, status: string, message: string, details: readonly object[] = []): Answer {
  return { status: code, error: { error: { code, message, status, details } } };
}

export const gemini: HookedProgram = {
  preset: 'gemini',
  package: '@google/gemini-cli',
  dialect,
  setUp: ({ home, modelUrl }) => {
    writeFile(settings(home), {
      general: { enableAutoUpdate: false },
      privacy: { usageStatisticsEnabled: false },
      security: { auth: { selectedType: 'gemini-api-key' } },
      // Without a name it first asks a model which model to ask.
      model: { name: 'gemini-2.5-pro' },
      mcpServers: { notes: { command, args } },
    });
    return { GOOGLE_GEMINI_BASE_URL: modelUrl, GEMINI_API_KEY: 'a-key-for-the-fake-on-loopback' };
  },
  failures: {
    'a key that is not accepted': {
      answer: error(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
      ]),
      told: /API key not valid/,
    },
    'not logged in': { change: (_, env) => void delete env['GEMINI_API_KEY'], told: /GEMINI_API_KEY/ },
    'no credit': {
      answer: error(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.', [
        {
          '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
          violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }],
        },
      ]),
      told: /exhausted your daily quota/,
    },
    'a model that does not exist': {
      answer: error(404, 'NOT_FOUND', 'models/gemini-2.5-pro is not found'),
      told: /models\/gemini-2\.5-pro is not found/,
    },
  },
  passing: error(503, 'UNAVAILABLE', 'The model is overloaded.'),
  sessions: '.gemini/tmp',
  expands: [
    { form: '@file', line: 'look at @note.txt', shows: PROJECT_SECRET },
    { form: 'a@file', line: 'or at a@note.txt (@note.txt)', shows: PROJECT_SECRET },
    { form: '@directory', line: '@sub', shows: 'text that only-in-a-listing holds' },
    { form: '@server:resource', line: 'look at @notes:notes://one', shows: RESOURCE_SECRET },
    { form: '@agent', line: 'ask @codebase_investigator about it', shows: 'explicitly selected the following agent' },
  ],
  hang: ({ home }, marker) => {
    const hook = { type: 'command', command: `sleep 600; touch ${marker}`, timeout: 600_000 };
    addToJson(settings(home), { hooks: { SessionEnd: [{ hooks: [hook] }] } });
  },
  denial: 'unnamed',
  trustsAll: false,
  repository: {
    setUp: (project, touch) =>
      writeFile(path.join(project, '.gemini/settings.json'), {
        hooks: { SessionStart: [{ hooks: [{ type: 'command', command: touch('hook') }] }] },
        mcpServers: { own: { command: 'sh', args: ['-c', touch('server')] } },
      }),
    runs: [],
  },
  terminal: {
    args: [],
    promptOption: '--prompt-interactive',
    ready: />\s+Type your message/,
    setUp: ({ home, project }) =>
      writeFile(path.join(home, '.gemini/trustedFolders.json'), { [project]: 'TRUST_FOLDER' }),
    asks: { tool: 'run_shell_command', input: { command: 'touch made.txt' } },
    dialog: /Allow execution of/,
    select: { key: 'Down', shown: /●[^\n]*2\./ },
  },
  hooks: {
    args: [],
    allowCommands: ({ home }) => addToJson(settings(home), { tools: { allowed: ['run_shell_command'] } }),
    runs: (line) => ({ tool: 'run_shell_command', input: { command: line } }),
    wakes: false,
  },
};
