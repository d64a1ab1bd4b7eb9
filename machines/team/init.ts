import fs from 'node:fs';
import path from 'node:path';
import { PRESET_NAMES } from 'agent-mailroom/agents';
import { findCommands } from './find-commands.ts';
import { type AgentOption, NotStarted, type Options } from './options.ts';
import { checkoutAt } from './preflight.ts';
import { complain, tell } from './show.ts';
import { readTeamFile, TEAM_FILE, type TeamFile } from './team-file.ts';
import { isProgram, missingEdits } from './thinker.ts';

/** Where the schema is, for a package that is installed in the project. */
const SCHEMA = './node_modules/agent-mailroom/docs/team.schema.json';

/**
 * Writes `mailroom.team.json` in the root of the repository, from what is found there and on PATH; resolves with the exit code. A file
 * that exists is never changed. Throws NotStarted.
 */
export async function initTeam(options: Options): Promise<number> {
  const directory = await checkoutAt(options.repo ?? '.');
  const file = path.join(directory, TEAM_FILE);
  if (fs.existsSync(file)) {
    readTeamFile(directory);
    throw new NotStarted(`${file} exists already and is valid; nothing was changed. Edit it, or remove it first.`);
  }
  const found = findCommands(directory, { needsTest: options.test === undefined });
  const team = options.agents ?? foundAgents();
  const test = options.test ?? found.test;
  const setup = options.setup === null ? null : (options.setup ?? found.setup);
  const content: TeamFile = {
    ...(fs.existsSync(path.join(directory, SCHEMA)) ? { $schema: SCHEMA } : {}),
    ...(team.length === 0 ? {} : { agents: Object.fromEntries(team.map(({ address, by }) => [address, by])) }),
    ...(setup === undefined ? {} : { setup }),
    ...(test === undefined ? {} : { test }),
  };
  const text = `${JSON.stringify(content, null, 2)}\n`;
  if (!options.isDryRun) fs.writeFileSync(file, text, { flag: 'wx' });
  tell(`${options.isDryRun ? 'Would write' : 'Wrote'} ${file}:\n\n${text}`);
  const missing = [
    ...(team.length === 0 ? [`no agent's program was found on PATH (${PRESET_NAMES.join(', ')}): add "agents"`] : []),
    ...(test === undefined ? ['no test command was found: add "test"'] : []),
  ];
  if (missing.length > 0) complain(`Before a team can start: ${missing.join('; ')}.`);
  else tell("Commit it, and start the team: mailroom team start --feature '<text>' --dry-run");
  return 0;
}

/** Agents for the programs on PATH, which may edit files; one program becomes two agents, because nobody reviews their own work. */
function foundAgents(): AgentOption[] {
  const programs = PRESET_NAMES.filter((name) => isProgram(name));
  const [only] = programs;
  const named =
    programs.length === 1 && only
      ? [`${only}-1`, `${only}-2`].map((one) => [one, only])
      : programs.map((one) => [one, one]);
  return named.map(([address = '', program = '']) => ({ address, by: [program, ...missingEdits(program)].join(' ') }));
}
