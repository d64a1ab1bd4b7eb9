import type { Preset } from './preset.ts';
import { aider } from './presets/aider.ts';
import { claude } from './presets/claude.ts';
import { codex } from './presets/codex.ts';
import { gemini } from './presets/gemini.ts';
import { opencode } from './presets/opencode.ts';

/**
 * The known model programs. docs/agents.md names the source of each fact; a fact without a source there is a mistake.
 */
export const PRESETS = { claude, codex, gemini, opencode, aider } as const satisfies Readonly<Record<string, Preset>>;

/** The name of a preset: a model's command line that Mailroom knows. */
export type PresetName = keyof typeof PRESETS;

/** The names of all presets. */
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** What is known about the command line of a preset. */
export function presetOf(name: PresetName): Preset {
  return PRESETS[name];
}
