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
 * What mount(8) of macOS calls such file systems. There the f_type of statfs(2) is the place of a file system among those that
 * were registered since the start, and says nothing.
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
/** Of macFUSE and what came before it; each may have a name of its own behind it, such as `osxfuse_eden`. */
const MACOS_FUSE = /^(?:macfuse|osxfuse|fusefs|fuse)(?:\b|[_-])/;
/** On a disk of this machine, also where the kernel does not call them local, such as a disk image that lies on a share. */
const MACOS_DISKS = new Set(['apfs', 'hfs', 'msdos', 'exfat', 'ntfs', 'udf', 'cd9660', 'ufs', 'tmpfs']);
/** Where macOS keeps what its root seems to hold. */
const MACOS_DATA = '/System/Volumes/Data';

const MOUNT_MS_MAX = 5_000;

/** The name of the network file system that a path lies on; undefined when it lies on a local one, or nobody can tell. */
export function networkFileSystemAt(path: string): string | undefined {
  switch (process.platform) {
    case 'linux':
      return LINUX_TYPES.get(statfsSync(path).type >>> 0);
    case 'darwin':
      return networkMount(mounts(), realpathSync.native(path));
    case 'win32':
      // Of a drive letter that stands for a share it is the path of that share.
      return networkShare(realpathSync.native(path));
    default:
      return undefined;
  }
}

/** What mount(8) prints; nothing when it cannot be asked. It does not wait for a server that is gone. */
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

/** Which network file system lies under a real path, by the lines of mount(8) of macOS: `<what> on <where> (<type>, …)`. */
export function networkMount(lines: string, path: string): string | undefined {
  let nearest = { point: '', flags: [] as readonly string[] };
  for (const line of lines.split('\n')) {
    const open = line.lastIndexOf(' (');
    if (open < 0 || !line.endsWith(')')) continue;
    for (const point of mountPoints(line.slice(0, open))) {
      // The last of several at one point covers the others.
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

/** Everything that may be the mount point: what is mounted and where may both have ` on ` in their names. */
function mountPoints(text: string): string[] {
  const parts = text.split(' on ');
  return parts.map((_, index) => parts.slice(index).join(' on ')).filter((one, index) => index > 0 && one[0] === '/');
}

function isWithin(path: string, point: string): boolean {
  const [inner, outer] = [comparable(path), comparable(point)];
  return outer === '/' || inner === outer || inner.startsWith(`${outer}/`);
}

/** One spelling of a path: these disks find a name whatever its case and its normal form. */
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
