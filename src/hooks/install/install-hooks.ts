import { Conflict } from '../../errors.ts';
import type { Host } from '../../host/host.ts';
import { quote } from '../../host/shell-word.ts';
import type { HookProgram } from '../programs.ts';
import { hookEntries, type ConfigEntry } from './config-shapes.ts';
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
  type SettingsHost,
} from './settings-file.ts';

export interface HookPlace {
  readonly program: HookProgram;
  readonly path: string;
  /** The room, if the program's sandbox needs to write to it. */
  readonly room?: string | undefined;
}

/** The change that was made, or with `isDry` would be made. */
export interface HookChange {
  readonly path: string;
  /** `updated`: Mailroom's entries were there in another form. */
  readonly state: 'added' | 'updated' | 'unchanged' | 'removed' | 'absent';
  /** The added or removed entries, each with the path of its array; none for a whole file. */
  readonly entries: readonly ConfigEntry[];
  /** The file itself is created or removed. */
  readonly isWholeFile: boolean;
  /** The path of the backup; undefined if there is none. */
  readonly backup: string | undefined;
}

export interface AddOptions extends HookPlace, Calling {
  /** Also lets the program's sandbox write to the room, if this file can hold that setting. */
  readonly isRoomWritable?: boolean | undefined;
  readonly isDry?: boolean | undefined;
}

/** Mailroom's hooks in a file. */
export interface Installed {
  /** `older`: in another form than would be written now. */
  readonly state: 'current' | 'older' | 'no';
  /** The address that all its sessions join under; undefined if each has its own. */
  readonly as: string | undefined;
  /** Mailroom's entries in the file. */
  readonly entries: readonly ConfigEntry[];
}

/** Reads the hooks in a file. Throws `InvalidInput` if the file is not in the program's format. */
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

/** Adds a program's hooks to its file. Idempotent. Throws `InvalidInput` and `Conflict`. */
export async function addHooks(host: SettingsHost, options: AddOptions): Promise<HookChange> {
  const settings = readSettings(host, options.path);
  if (options.program === 'opencode') return addPlugin(host, settings, options);
  const file = configFileOf(options);
  const { entries, commands } = ownEntries(settings.text, file);
  // Without hooks nothing in the file is Mailroom's: a room that the sandbox may write to was added by someone else.
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

/** Removes Mailroom's hooks from a file and restores it, except for what others have changed since. */
export async function removeHooks(
  host: SettingsHost,
  place: HookPlace & { readonly isDry?: boolean },
): Promise<HookChange> {
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

async function addPlugin(host: SettingsHost, settings: SettingsFile, options: AddOptions): Promise<HookChange> {
  const text = pluginText(options);
  if (settings.text === text) return changeOf(settings, 'unchanged');
  const facts = settings.text === undefined ? undefined : readPlugin(settings.text);
  if (settings.text !== undefined && facts?.isAsWritten !== true) throw notOurs(settings.path, facts !== undefined);
  if (options.isDry !== true) await writeSettings(host, settings, { text, isFirst: settings.text === undefined });
  return changeOf(settings, facts ? 'updated' : 'added');
}

function removePlugin(host: SettingsHost, settings: SettingsFile, isDry: boolean): HookChange {
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

function entriesOf({ program }: ConfigFile, calling: Calling): ConfigEntry[] {
  return hookEntries(program, (event) => hookCommand(program, event, calling));
}

function changeOf(
  { path, text }: SettingsFile,
  state: HookChange['state'],
  { entries = [], isBackedUp = false }: { entries?: readonly ConfigEntry[]; isBackedUp?: boolean } = {},
): HookChange {
  const isWholeFile = text === undefined && state === 'added';
  return { path, state, entries, isWholeFile, backup: isBackedUp && !isWholeFile ? backupOf(path) : undefined };
}

function areAlike(one: readonly ConfigEntry[], other: readonly ConfigEntry[]): boolean {
  const [left, right] = [one, other].map((entries) => JSON.stringify(entries.map(canonical).sort()));
  return left === right;
}

/** The entry as JSON with sorted properties. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
