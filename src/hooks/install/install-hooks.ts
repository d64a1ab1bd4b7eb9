import { Conflict } from '../../errors.ts';
import type { Host } from '../../host/host.ts';
import { quote } from '../../host/shell-word.ts';
import type { HookProgram } from '../programs.ts';
import { hookEntries, type Entry } from './config-shapes.ts';
import { CLAUDE_WRITABLE, ownEntries, withEntries, withoutEntries, type ConfigFile } from './config-text.ts';
import { hookCommand, type Calling } from './hook-command.ts';
import { pluginText, readPlugin } from './opencode-plugin.ts';
import {
  backupOf,
  forgetBackup,
  readSettings,
  removeSettings,
  writeSettings,
  type SettingsFile,
} from './settings-file.ts';

export interface HookPlace {
  readonly program: HookProgram;
  readonly path: string;
  /** The room, for a sandbox that is to write to it. */
  readonly room?: string | undefined;
}

/** What was done, or with `isDry` would be done. */
export interface HookChange {
  readonly path: string;
  /** `updated`: Mailroom's entries were there, in another form. */
  readonly state: 'added' | 'updated' | 'unchanged' | 'removed' | 'absent';
  /** What is put in or taken out, by the path of the array that it stands in; none for a whole file. */
  readonly entries: readonly Entry[];
  /** The file itself appears or disappears. */
  readonly isWholeFile: boolean;
  /** Where the text of before lies; undefined when there is none. */
  readonly backup: string | undefined;
}

export interface AddOptions extends HookPlace, Calling {
  /** Has the program's sandbox write to the room too, where its settings can say so in this file. */
  readonly isRoomWritable?: boolean | undefined;
  readonly isDry?: boolean | undefined;
}

type System = Pick<Host, 'files' | 'randomBytes'>;

/** What of Mailroom's hooks a file has. */
export interface Installed {
  /** `older`: another form than the one that would be written now. */
  readonly state: 'current' | 'older' | 'no';
  /** The address that its sessions join under; undefined for their own. */
  readonly as: string | undefined;
  /** The path of the settings array and the place in it of each of the hooks' commands. */
  readonly entries: readonly Entry[];
}

/** Looks at the file. Throws `InvalidInput` when it cannot be read as what the program reads there. */
export function lookAtHooks(host: Pick<Host, 'files'>, place: HookPlace, calling: Calling): Installed {
  const { text } = readSettings(host, place.path);
  if (place.program === 'opencode') {
    const facts = text === undefined ? undefined : readPlugin(text);
    if (!facts) return { state: 'no', as: undefined, entries: [] };
    const as = facts.commands[0]?.as;
    return { state: text === pluginText({ ...calling, as }) ? 'current' : 'older', as, entries: [] };
  }
  const file = configFileOf(place);
  const { entries, commands } = ownEntries(text, file);
  if (commands.length === 0) return { state: 'no', as: undefined, entries: [] };
  const as = commands[0]?.as;
  const wanted = entriesOf(file, { ...calling, as });
  const hooks = entries.filter(({ path }) => path !== CLAUDE_WRITABLE);
  return { state: areAlike(hooks, wanted) ? 'current' : 'older', as, entries };
}

/** Adds a program's hooks to its file; adding once more changes nothing. Throws `InvalidInput` and `Conflict`. */
export async function addHooks(host: System, options: AddOptions): Promise<HookChange> {
  const settings = readSettings(host, options.path);
  if (options.program === 'opencode') return addPlugin(host, settings, options);
  const file = configFileOf(options);
  const { entries, commands } = ownEntries(settings.text, file);
  // Without hooks nothing in the file is ours: a room that its sandbox may write to was put there by somebody else.
  const isFirst = commands.length === 0;
  const isWritable = entries.some(({ path }) => path === CLAUDE_WRITABLE);
  const isAsked = options.isRoomWritable === true && options.program === 'claude';
  const wanted = entriesOf(file, options);
  if (options.room !== undefined && (isAsked || isWritable))
    wanted.push({ path: CLAUDE_WRITABLE, value: options.room });
  if (areAlike(entries, wanted)) return changeOf(settings, 'unchanged');
  const base = isFirst ? settings.text : withoutEntries(settings.text ?? '', settings.before, file);
  const kept = ownEntries(base, file).entries.map(canonical);
  const missing = wanted.filter((entry) => !kept.includes(canonical(entry)));
  const text = withEntries(base, missing, file);
  if (options.isDry !== true) await writeSettings(host, settings, { text, isFirst });
  return changeOf(settings, isFirst ? 'added' : 'updated', { entries: missing, isBackedUp: true });
}

/** Takes Mailroom's hooks out of a file, which is then what it was, but for what others have changed since. */
export async function removeHooks(host: System, place: HookPlace & { readonly isDry?: boolean }): Promise<HookChange> {
  const settings = readSettings(host, place.path);
  const isDry = place.isDry === true;
  if (place.program === 'opencode') return removePlugin(host, settings, isDry);
  const file = configFileOf(place);
  const { entries, commands } = ownEntries(settings.text, file);
  if (settings.text === undefined) return changeOf(settings, 'absent');
  if (commands.length === 0) {
    if (!isDry) forgetBackup(host, place.path);
    return changeOf(settings, 'absent');
  }
  const text = withoutEntries(settings.text, settings.before, file);
  if (!isDry) {
    if (text === undefined) removeSettings(host, settings);
    else await writeSettings(host, settings, { text, isFirst: false });
    forgetBackup(host, place.path);
  }
  return { ...changeOf(settings, 'removed', { entries }), isWholeFile: text === undefined };
}

async function addPlugin(host: System, settings: SettingsFile, options: AddOptions): Promise<HookChange> {
  const text = pluginText(options);
  if (settings.text === text) return changeOf(settings, 'unchanged');
  const facts = settings.text === undefined ? undefined : readPlugin(settings.text);
  if (settings.text !== undefined && facts?.isAsWritten !== true) throw notOurs(settings.path, facts !== undefined);
  if (options.isDry !== true) await writeSettings(host, settings, { text, isFirst: settings.text === undefined });
  return changeOf(settings, facts ? 'updated' : 'added');
}

function removePlugin(host: System, settings: SettingsFile, isDry: boolean): HookChange {
  if (settings.text === undefined) return changeOf(settings, 'absent');
  const facts = readPlugin(settings.text);
  if (!facts) return changeOf(settings, 'absent');
  if (!facts.isAsWritten) throw notOurs(settings.path, true);
  if (!isDry) {
    removeSettings(host, settings);
    forgetBackup(host, settings.path);
  }
  return { ...changeOf(settings, 'removed'), isWholeFile: true };
}

function notOurs(path: string, isChanged: boolean): Conflict {
  const what = isChanged ? 'was changed after Mailroom wrote it' : 'was not written by Mailroom';
  return new Conflict(`${path} ${what}, so it was left as it is.`, {
    hint: `Keep it under another name, then repeat the command: mv ${quote(path)} ${quote(`${path}.old`)}`,
  });
}

function configFileOf({ program, path, room }: HookPlace): ConfigFile {
  if (program === 'opencode') throw new TypeError('opencode has a file of its own');
  return { program, name: path, writable: room };
}

function entriesOf({ program }: ConfigFile, calling: Calling): Entry[] {
  return hookEntries(program, (event) => hookCommand(program, event, calling));
}

function changeOf(
  { path, text }: SettingsFile,
  state: HookChange['state'],
  { entries = [], isBackedUp = false }: { entries?: readonly Entry[]; isBackedUp?: boolean } = {},
): HookChange {
  const isWholeFile = text === undefined && state === 'added';
  return { path, state, entries, isWholeFile, backup: isBackedUp && !isWholeFile ? backupOf(path) : undefined };
}

function areAlike(one: readonly Entry[], other: readonly Entry[]): boolean {
  const [left, right] = [one, other].map((entries) => JSON.stringify(entries.map(canonical).sort()));
  return left === right;
}

/** The entry as text, whatever the order of its properties. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
