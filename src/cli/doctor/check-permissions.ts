import type { FileSystem } from '../../host/file-system.ts';
import { namesIn } from '../../host/files.ts';
import { actorLayout } from '../../message/layout.ts';
import { listAddresses } from '../../room/context.ts';
import { contextOf, type Room } from '../../room/room.ts';
import type { Check, DoctorFinding } from './finding.ts';

const OTHERS = 0o077;
const SHOWN_MAX = 3;

/** Keys must be 0600, directories 0700, and all of it one's own: no other user may read or change anything of a room. */
export const checkPermissions: Check = (room, { fix }) => {
  const { files, processes } = contextOf(room).host;
  const self = processes.userId();
  if (self === undefined) {
    const text = 'not checked: this system has no POSIX users and modes';
    return [{ check: 'permissions', level: 'note', text }];
  }
  const foreign: string[] = [];
  let open: string[] = [];
  for (const path of privatePaths(room)) {
    const facts = files.lstat(path);
    if (!facts || facts.kind === 'symlink') continue;
    if (facts.uid !== self) foreign.push(path);
    else if (facts.mode & OTHERS) open.push(path);
  }
  const wereOpen = open.length;
  if (fix) open = open.filter((path) => !closed(files, path));
  return [openFinding(open, wereOpen), ...foreignFinding(foreign)];
};

function privatePaths(room: Room): string[] {
  const { host, layout } = contextOf(room);
  const { directory, config, keys, publicKeys, actors, logDirectory, log, tmp } = layout;
  const below = (path: string): string[] => namesIn(host.files, path).map((name) => `${path}/${name}`);
  const ofActors = listAddresses(contextOf(room)).flatMap((address) => {
    const { mailbox, card, directory: own } = actorLayout(layout, address);
    return [own, card, mailbox.directory, mailbox.tmp, mailbox.new, mailbox.cur, mailbox.done, mailbox.dead];
  });
  return [directory, config, keys, ...below(keys), ...below(publicKeys), actors, logDirectory, log, tmp, ...ofActors];
}

function closed(files: FileSystem, path: string): boolean {
  const facts = files.lstat(path);
  if (!facts) return true;
  try {
    files.chmod(path, facts.mode & 0o700);
    return true;
  } catch {
    return false;
  }
}

function openFinding(open: readonly string[], wereOpen: number): DoctorFinding {
  const check = 'permissions';
  if (open.length > 0) {
    const shown = open.slice(0, SHOWN_MAX).join(', ');
    return {
      check,
      level: 'wrong',
      text: `others can read or change ${open.length} files of the room: ${shown}${open.length > SHOWN_MAX ? ' …' : ''}`,
      hint: 'Repair it with: mailroom doctor --fix',
    };
  }
  return {
    check,
    level: 'ok',
    text: wereOpen > 0 ? `repaired for ${wereOpen} files` : 'only you can read the keys and the mail',
  };
}

function foreignFinding(foreign: readonly string[]): DoctorFinding[] {
  if (foreign.length === 0) return [];
  return [
    {
      check: 'owner',
      level: 'wrong',
      text: `${foreign.length} files of the room belong to another user: ${foreign.slice(0, SHOWN_MAX).join(', ')}`,
      hint: 'Run every agent of a room as the same user, or change the owner of these files (chown).',
    },
  ];
}

/** Says which room it is, in which format, and what a signature in it is worth. */
export const checkSecurity: Check = (room) => {
  const context = contextOf(room);
  const { directory, config } = room;
  const { files, processes } = context.host;
  // A system without users reports uid 0 for every file.
  const owner =
    processes.userId() === undefined ? '' : `, owned by uid ${files.lstat(directory)?.uid ?? '?'}, which is you`;
  return [
    {
      check: 'room',
      level: 'ok',
      text: `${directory}, id ${config.roomId}${owner}`,
    },
    {
      check: 'security level',
      level: 'ok',
      text:
        config.algorithm === 'hmac-sha256'
          ? `hmac-sha256: whoever can read ${context.layout.roomKey} can sign as anyone, so signatures show tampering and the claimed sender, but isolate nobody`
          : `ed25519: whoever can read ${context.layout.keys}/<address>.key can sign as that address, so agents are isolated only where a sandbox or another user hides that file from the others`,
    },
  ];
};
