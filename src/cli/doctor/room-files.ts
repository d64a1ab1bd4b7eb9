import { readText, ensureDirectory } from '../../host/files.ts';
import { quote } from '../../host/shell-word.ts';
import { publishGitignore } from '../../room/init-room.ts';
import { readConfig } from '../../room/config.ts';
import { listAddresses, type RoomContext } from '../../room/context.ts';
import { actorLayout, type RoomLayout } from '../../message/layout.ts';
import { readVerifier } from '../../signing/keyring.ts';
import { ALL_OF_OWNER, always, READABLE, restore, WRITABLE, type DurableFile, type Place } from './durable-file.ts';

/** What a room keeps for all its actors; directories come before their content. */
export const ROOM_FILES: readonly DurableFile[] = [
  {
    name: '.gitignore',
    kind: 'file',
    mode: READABLE,
    places: ({ layout }) => [{ path: layout.gitignore }],
    isNeeded: always,
    fault: ({ host }, { path }) =>
      (readText(host.files, path) ?? '').split('\n').includes('*')
        ? undefined
        : 'has no line that is only *, so keys may get into a commit',
    make: ({ host, layout }) => publishGitignore(host, layout),
    isReplaceable: always,
    hint: restore,
  },
  {
    name: 'room.json',
    kind: 'file',
    mode: READABLE,
    places: ({ layout }) => [{ path: layout.config }],
    isNeeded: always,
    read: ({ host, layout }) => readConfig(host.files, layout),
    hint: restore,
  },
  directory('tmp', ({ tmp }) => tmp),
  directory('keys', ({ keys }) => keys),
  directory('keys/pub', ({ publicKeys }) => publicKeys),
  {
    name: 'keys/room.key',
    kind: 'file',
    mode: READABLE,
    places: ({ config, layout }) => (config.algorithm === 'hmac-sha256' ? [{ path: layout.roomKey }] : []),
    isNeeded: always,
    // Every key of an hmac room is derived from it.
    read: ({ keyring }) => keyring.signerOf('system'),
    hint: ({ layout }) =>
      `Nothing can be signed or verified without it: restore it from a backup. ` +
      `To start over instead: mv ${quote(layout.directory)} ${quote(`${layout.directory}.old`)} && mailroom init --room ${quote(layout.directory)}`,
  },
  {
    name: 'keys/<address>.key',
    kind: 'file',
    mode: READABLE,
    places: (context) => keyPlaces(context, 'privateKey'),
    // If both keys are missing, the finding about the public key says so.
    isNeeded: ({ host, layout }, place) => host.files.lstat(ownLayout(layout, place).publicKey) !== undefined,
    read: ({ keyring }, { address = '' }) => keyring.signerOf(address),
    hint: (_context, { path, address = '' }) =>
      `Nobody can sign as ${address} without it: restore ${path} from a backup, unless a sandbox only hides it here. ` +
      'Until then work under another address: mailroom join <address>',
  },
  {
    name: 'keys/pub/<address>',
    kind: 'file',
    mode: READABLE,
    places: (context) => keyPlaces(context, 'publicKey'),
    isNeeded: always,
    fault: publicKeyFault,
    make: ({ keyring }, { address = '' }) => keyring.enrol(address),
    // A readable private key determines the public key.
    isReplaceable: (context, place) =>
      canSign(context, place) && readVerifier(context.host.files, context.layout, place.address ?? '') === undefined,
    hint: restore,
  },
  directory('actors', ({ actors }) => actors),
  directory('log', ({ logDirectory }) => logDirectory),
  {
    name: 'log/agent_messages.log',
    kind: 'file',
    mode: WRITABLE,
    places: ({ layout }) => [{ path: layout.log }],
    isReplaceable: always,
    hint: restore,
  },
];

function directory(name: string, pathIn: (layout: RoomLayout) => string): DurableFile {
  return {
    name: `${name}/`,
    kind: 'directory',
    mode: ALL_OF_OWNER,
    places: ({ layout }) => [{ path: pathIn(layout) }],
    isNeeded: always,
    make: ({ host }, { path }) => void ensureDirectory(host.files, path),
    isReplaceable: always,
    hint: restore,
  };
}

function ownLayout(layout: RoomLayout, { address = '' }: Place): ReturnType<typeof actorLayout> {
  return actorLayout(layout, address);
}

/** The keys of every actor with a mailbox. A join that was interrupted before that creates them when it is completed. */
function keyPlaces(context: RoomContext, which: 'privateKey' | 'publicKey'): Place[] {
  const { config, host, layout } = context;
  if (config.algorithm !== 'ed25519') return [];
  return listAddresses(context)
    .filter((address) => host.files.lstat(actorLayout(layout, address).mailbox.directory))
    .map((address) => ({ address, path: actorLayout(layout, address)[which] }));
}

function canSign({ keyring }: RoomContext, { address = '' }: Place): boolean {
  try {
    keyring.signerOf(address);
    return true;
  } catch {
    return false;
  }
}

function publicKeyFault(context: RoomContext, place: Place): string | undefined {
  const { keyring, host, layout } = context;
  const { address = '' } = place;
  const verifier = readVerifier(host.files, layout, address);
  if (!verifier) return 'holds no Ed25519 key in PEM';
  if (!canSign(context, place) || keyring.signerOf(address).keyId === verifier.keyId) return undefined;
  return `does not belong to the private key ${ownLayout(layout, place).privateKey}; one of the two was replaced`;
}
