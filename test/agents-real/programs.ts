import { claude } from './programs/claude.ts';
import { codex } from './programs/codex.ts';
import { gemini } from './programs/gemini.ts';
import { opencode } from './programs/opencode.ts';

/** Those that npm has; aider is no npm package. */
export const PROGRAMS = [claude, codex, gemini, opencode];
