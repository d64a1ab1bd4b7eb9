/**
 * The lines of `fixtures/mounts/macos.txt` have the form that macOS 10.12 to 15 print, as published by users; those of
 * `ftp` and `cloudfs` are made up after the others.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { networkMount, networkShare } from '../../src/host/network-file-system.ts';

const MOUNTS = path.join(import.meta.dirname, '../../fixtures/mounts/macos.txt');
const DIST = path.join(import.meta.dirname, '../../dist');
const lines = fs.readFileSync(MOUNTS, 'utf8');

describe('by mount(8) of macOS', () => {
  it.each([
    ['/Volumes/share', 'SMB'],
    ['/Volumes/share/project/.mailroom', 'SMB'],
    ['/volumes/SHARE/project', 'SMB'],
    ['/Volumes/Photo Library/a', 'SMB'],
    ['/Volumes/Work on it (2)/a', 'SMB'],
    ['/Volumes/video/a', 'AFP'],
    ['/Volumes/backups/a', 'NFS'],
    ['/Users/stone/Works/AppMaterials/a', 'NFS'],
    ['/Users/stone/exfat-mnt/a', 'NFS'],
    ['/System/Volumes/Data/home/carol/project', 'NFS'],
    ['/home/carol/project', 'NFS'],
    ['/Volumes/DAV/a', 'WebDAV'],
    ['/Volumes/ftp.example.org/a', 'FTP'],
    ['/Users/stone/remote/a', 'FUSE'],
    ['/Volumes/NTFS/a', 'FUSE'],
    ['/Users/wez/fbsource/a', 'FUSE'],
    ['/Volumes/My Shared Files/a', 'virtiofs'],
    ['/Volumes/Strange/a', 'cloudfs'],
  ])('%s is on %s', (place, type) => {
    expect(networkMount(lines, place)).toBe(type);
  });

  it.each([
    '/',
    '/Users/stone/project',
    '/private/tmp/x',
    '/Volumes/shared',
    '/Volumes/share2/a',
    '/Users/stone/Works/AppMaterials2',
    '/Users/wez/fbsource/buck-out/a',
    '/Volumes/Shared Support',
    '/Volumes/NetImage/a',
    '/Volumes/Stick/a',
    '/Volumes/Cafe\u0301/a',
    '/System/Volumes/Data/Users/stone/project',
  ])('%s is local', (place) => {
    expect(networkMount(lines, place)).toBeUndefined();
  });

  it('uses the last of two that are mounted at one place', () => {
    const two = '//u@server/a on /Volumes/a (smbfs, nodev)\n/dev/disk5 on /Volumes/a (apfs, local)\n';
    expect(networkMount(two, '/Volumes/a')).toBeUndefined();
    expect(networkMount(two.split('\n').toReversed().join('\n'), '/Volumes/a')).toBe('SMB');
  });

  it.each(['', 'mount: no such thing\n', '//u@server/a on /Volumes/a\n', ' on  ()\n'])(
    'nobody can tell by %j',
    (text) => {
      expect(networkMount(text, '/Volumes/a')).toBeUndefined();
    },
  );
});

describe('by the real path of Windows', () => {
  it.each([
    ['\\\\server\\share\\project', 'SMB'],
    ['\\\\?\\UNC\\server\\share\\project', 'SMB'],
    ['\\\\192.168.1.5\\c$\\project', 'SMB'],
    ['\\\\wsl$\\Ubuntu\\home\\u', '9p'],
    ['\\\\wsl.localhost\\Ubuntu\\home\\u', '9p'],
  ])('%s is on %s', (place, type) => {
    expect(networkShare(place)).toBe(type);
  });

  it.each(['C:\\Users\\u', '\\\\?\\C:\\Users\\u', '\\\\.\\C:\\Users\\u', 'Z:\\', '/Users/u'])(
    '%s is local',
    (place) => {
      expect(networkShare(place)).toBeUndefined();
    },
  );
});

describe.runIf(process.platform === 'linux')('with another platform in place of this one', () => {
  /** What the built library says about a directory, with programs and system calls that answer as on that system. */
  function asked(platform: string, more: string): string {
    const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-mount-')));
    try {
      const preload = path.join(directory, 'preload.cjs');
      fs.writeFileSync(
        preload,
        `Object.defineProperty(process, 'platform', { value: ${JSON.stringify(platform)} });\n` +
          `const directory = ${JSON.stringify(directory)};\n${more}`,
      );
      const program = `
        import { networkFileSystemOf } from ${JSON.stringify(`${DIST}/index.js`)};
        import { nodeHost } from ${JSON.stringify(`${DIST}/runtime.js`)};
        console.log(networkFileSystemOf(nodeHost, ${JSON.stringify(directory)}));
      `;
      const args = ['--require', preload, '--input-type=module', '-e', program];
      return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
    } finally {
      fs.rmSync(directory, { recursive: true, force: true });
    }
  }
  const mountSays = (text: string): string =>
    `require('node:child_process').execFileSync = (file) => {
       if (file !== '/sbin/mount') throw new Error(file);
       return ${text};
     };`;

  it('macOS is asked for its mounts, never for the number of a type', () => {
    const noStatfs = `require('node:fs').statfsSync = () => { throw new Error('statfs'); };`;
    const share = '`//u@server/share on ${directory} (smbfs, nodev, nosuid, mounted by u)\\n`';
    expect(asked('darwin', noStatfs + mountSays(share))).toBe('SMB');
    expect(asked('darwin', noStatfs + mountSays(`'/dev/disk3s5 on / (apfs, local)'`))).toBe('undefined');
  });

  it('a failing mount command is no reason to refuse', () => {
    expect(asked('darwin', mountSays(`(() => { throw new Error('no such program'); })()`))).toBe('undefined');
  });

  it('Windows is asked for the real path', () => {
    const real = (text: string): string => `require('node:fs').realpathSync.native = () => ${JSON.stringify(text)};`;
    expect(asked('win32', real('\\\\server\\share\\project'))).toBe('SMB');
    expect(asked('win32', real('C:\\project'))).toBe('undefined');
  });

  it('nothing is known of other systems', () => {
    expect(asked('sunos', '')).toBe('undefined');
  });
});
