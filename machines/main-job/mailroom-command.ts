import { fileURLToPath } from 'node:url';
import { shellWord } from '../shared/shell-word.ts';

/** The file of the command `mailroom` of this very package, for node. */
export const MAILROOM = fileURLToPath(new URL('../../dist/cli/mailroom.cjs', import.meta.url));

/** A command that runs in any shell, whatever is installed or called `mailroom` there. */
export const MAILROOM_COMMAND = `node ${shellWord(MAILROOM)}`;
