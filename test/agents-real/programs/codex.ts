import fs from 'node:fs';
import path from 'node:path';
import { openaiResponses } from '../../../fixtures/agents/models/openai-responses.ts';
import type { Answer } from '../../../fixtures/agents/models/model-server.ts';
import { SKILL_SECRET, NOTES_COMMAND, writeFile, type HookedProgram } from './program.ts';

const [command, ...args] = NOTES_COMMAND;

const error = (status: number, code: string | null, message: string): Answer => ({
  status,
  error: { error: { message, type: code, param: null, code } },
});

const config = (home: string): string => path.join(home, '.codex/config.toml');

export const codex: HookedProgram = {
  preset: 'codex',
  package: '@openai/codex',
  dialect: openaiResponses,
  setUp: ({ home, project, modelUrl }) => {
    writeFile(
      config(home),
      `
model = "fake"
model_provider = "fake"
check_for_update_on_startup = false
[features]
plugins = false
[analytics]
enabled = false
[model_providers.fake]
name = "fake"
base_url = "${modelUrl}/v1"
wire_api = "responses"
env_key = "FAKE_MODEL_KEY"
[mcp_servers.notes]
command = ${JSON.stringify(command)}
args = ${JSON.stringify(args)}
`,
    );
    for (const directory of [
      path.join(home, '.codex/skills/own-skill'),
      path.join(project, '.agents/skills/its-skill'),
    ])
      writeFile(
        path.join(directory, 'SKILL.md'),
        `---\nname: ${path.basename(directory)}\ndescription: a skill\n---\n${SKILL_SECRET}\n`,
      );
    return { FAKE_MODEL_KEY: 'sk-a-key-for-the-fake-on-loopback' };
  },
  failures: {
    'a key that is not accepted': {
      answer: error(401, 'invalid_api_key', 'Incorrect API key provided: sk-a-key.'),
      told: /401 Unauthorized|key is not accepted/,
    },
    'not logged in': {
      change: ({ home, modelUrl }) => fs.writeFileSync(config(home), `openai_base_url = "${modelUrl}/v1"\n`),
      answer: error(401, null, 'Missing bearer or basic authentication in header'),
      told: /401 Unauthorized|not logged in/,
    },
    'no credit': {
      answer: error(
        429,
        'insufficient_quota',
        'You exceeded your current quota, please check your plan and billing details.',
      ),
      told: /Quota exceeded/,
    },
    'a model that does not exist': {
      answer: error(404, 'model_not_found', 'The model `fake` does not exist or you do not have access to it.'),
      told: /does not exist or you do not have access/,
    },
  },
  passing: error(500, 'server_error', 'Internal server error'),
  sessions: '.codex/sessions',
  expands: [
    { form: '$skill', line: 'use $own-skill for it', shows: SKILL_SECRET },
    { form: '\\$skill', line: 'or \\$its-skill, which a repository brings along', shows: SKILL_SECRET },
  ],
  denial: 'unnamed',
  trustsAll: false,
  repository: {
    setUp: (project, touch) => {
      writeFile(
        path.join(project, '.codex/config.toml'),
        `[mcp_servers.own]\ncommand = "sh"\nargs = ["-c", "${touch('server')}"]\n`,
      );
      writeFile(path.join(project, '.codex/hooks.json'), {
        hooks: { SessionStart: [{ hooks: [{ type: 'command', command: touch('hook') }] }] },
      });
    },
    runs: [],
  },
  terminal: {
    args: ['--ask-for-approval', 'on-request'],
    ready: /^› Ask Codex/m,
    setUp: ({ home, project }) =>
      fs.appendFileSync(config(home), `[projects.${JSON.stringify(project)}]\ntrust_level = "trusted"\n`),
    asks: {
      tool: 'exec_command',
      input: { cmd: 'touch made.txt', sandbox_permissions: 'require_escalated', justification: 'May I make a file?' },
    },
    dialog: /Would you like to run the following command\?/,
    select: { key: 'Down', shown: /›[^\n]*2\./ },
  },
  hooks: {
    args: ['--dangerously-bypass-hook-trust'],
    allowCommands: () => {},
    // It waits that long for a command before it asks its model again.
    runs: (cmd) => ({ tool: 'exec_command', input: { cmd, yield_time_ms: 30_000 } }),
    wakes: true,
  },
};
