/**
 * `agent-mailroom/agents`: answering an agent's mail with a program, such as the command line of a model.
 *
 * @module
 */
export type { AgentReply } from './agents/records.ts';
export type { AgentCommand, AgentEvent, AgentSettings, StdinForm } from './agents/settings.ts';
export { missingOf, type FlagFact, type Preset } from './agents/preset.ts';
export { PRESET_NAMES, presetOf, type PresetName } from './agents/presets.ts';
export { runAgent, type RunAgentOptions } from './agents/run-agent.ts';
