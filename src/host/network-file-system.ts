import { realpathSync, statfsSync } from 'node:fs';
import { childEnvironment } from './child-environment.ts';

/** statfs(2), f_type, of file systems that are on another machine or hide which one they are on. */
const LINUX_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
  [0x65735546, 'FUSE'],
  [0x0bd00bd0, 'Lustre'],
  [0x19830326, 'BeeGFS'],
  [0x47504653, 'GPFS'],
  [0xaad7aaea, 'PanFS'],
  [0x786f4256, 'vboxsf'],
  [0xbacbacbc, 'vmhgfs'],
  [0x7c7c6673, 'prl_fs'],
]);

/**
 * Names of such file systems in mount(8) of macOS. There the f_type of statfs(2) only says in which order file systems
 * were registered since the start.
 */
const MACOS_TYPES: ReadonlyMap<string, string> = new Map([
  ['nfs', 'NFS'],
  ['smbfs', 'SMB'],
  ['afpfs', 'AFP'],
  ['webdav', 'WebDAV'],
  ['ftp', 'FTP'],
  ['acfs', 'Xsan'],
  ['virtiofs', 'virtiofs'],
]);
/** macFUSE and its predecessors; a name of their own may follow, as in `osxfuse_eden`. */
const MACOS_FUSE = /^(?:macfuse|osxfuse|fusefs|fuse)(?:\b|[_-])/;
/** On a disk of this machine, even if the kernel does not call them local, such as a disk image on a share. */
const MACOS_DISKS = new Set(['apfs', 'hfs', 'msdos', 'exfat', 'ntfs', 'udf', 'cd9660', 'ufs', 'tmpfs']);
/** Where macOS keeps what its root appears to hold. */
const MACOS_DATA = '/System/Volumes/Data';

const MOUNT_MS_MAX = 5_000;

/** The type of the network file system that holds a path; undefined if it is local, or the type cannot be told. */
export function networkFileSystemAt(path: string): string | undefined {
  switch (process.platform) {
    case 'linux':
      return LINUX_TYPES.get(statfsSync(path).type >>> 0);
    case 'darwin':
      return networkMount(mounts(), realpathSync.native(path));
    case 'win32':
      // For a drive letter that stands for a share, this is the path of the share.
      return networkShare(realpathSync.native(path));
    default:
      return undefined;
  }
}

/** The output of mount(8); empty if it cannot be run. It does not wait for a server that is gone. */
function mounts(): string {
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  try {
    return execFileSync('/sbin/mount', [], {
      encoding: 'utf8',
      env: childEnvironment(),
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: MOUNT_MS_MAX,
    });
  } catch {
    return '';
  }
}

/** The network file system under a real path, from the lines of mount(8) of macOS: `<what> on <where> (<type>, …)`. */
export function networkMount(lines: string, path: string): string | undefined {
  let nearest = { point: '', flags: [] as readonly string[] };
  for (const line of lines.split('\n')) {
    const open = line.lastIndexOf(' (');
    if (open < 0 || !line.endsWith(')')) continue;
    for (const point of mountPoints(line.slice(0, open))) {
      // The last of several at one mount point covers the others.
      if (isWithin(path, point) && point.length >= nearest.point.length) {
        nearest = { point, flags: line.slice(open + 2, -1).split(', ') };
      }
    }
  }
  const [type = '', ...flags] = nearest.flags;
  if (MACOS_FUSE.test(type)) return 'FUSE';
  const isLocal = type === '' || flags.includes('local') || MACOS_DISKS.has(type);
  return MACOS_TYPES.get(type) ?? (isLocal ? undefined : type);
}

/** Every possible mount point in a line: both what is mounted and where may contain ` on `. */
function mountPoints(text: string): string[] {
  const parts = text.split(' on ');
  return parts.map((_, index) => parts.slice(index).join(' on ')).filter((one, index) => index > 0 && one[0] === '/');
}

function isWithin(path: string, point: string): boolean {
  const [inner, outer] = [comparable(path), comparable(point)];
  return outer === '/' || inner === outer || inner.startsWith(`${outer}/`);
}

/** One spelling of a path: these disks ignore case and normal form. */
function comparable(path: string): string {
  const shown = path.startsWith(`${MACOS_DATA}/`) ? path.slice(MACOS_DATA.length) : path;
  return shown.normalize('NFC').toLowerCase();
}

/** The same for a real path of Windows: `\\server\share\…`, but not `\\?\C:\…`, which is a drive of this machine. */
export function networkShare(path: string): string | undefined {
  const server = /^\\\\(?:\?\\UNC\\)?([^\\?.][^\\]*)\\/i.exec(path)?.[1];
  if (server === undefined) return undefined;
  return /^wsl(?:\$|\.localhost)$/i.test(server) ? '9p' : 'SMB';
}
