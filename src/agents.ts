export type { AgentCommand, AgentSettings, StdinForm } from './agents/settings.ts';
export type { AgentEvent } from './agents/settings.ts';
export { missingOf, type FlagFact, type Preset } from './agents/preset.ts';
export { PRESET_NAMES, presetOf, type PresetName } from './agents/presets.ts';
export { runAgent, type RunAgentOptions } from './agents/run-agent.ts';
export { openRoom } from './room/room.ts';
