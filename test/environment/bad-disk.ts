import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from '../../fixtures/zoo/things.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import type { Host } from '../../src/host/host.ts';
import { systemError } from '../faults/faulty-files.ts';

const DISK_BYTES = 512 * 1024;
const FILL_BYTES = 4096;

/** A small file system of its own, if this user may mount one; otherwise its faults are injected at the port. */
export interface BadDisk extends Disposable {
  readonly directory: string;
  /** `mount` if the kernel makes the faults. */
  readonly made: 'mount' | 'port';
  readonly host: Host;
  fill(): void;
  empty(): void;
  makeReadOnly(): void;
}

export function openBadDisk(): BadDisk {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-disk-'));
  const isMounted = mounts(['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', directory]);
  let fault: string | undefined;
  const refuse = (name: string, at: string): void => {
    if (fault !== undefined) throw systemError(fault, { name, path: at });
  };
  const files: FileSystem = {
    ...nodeHost.files,
    open: (at, flags, mode) => {
      if ((flags & fs.constants.O_CREAT) !== 0 || (fault === 'EROFS' && (flags & 3) !== 0)) refuse('open', at);
      return nodeHost.files.open(at, flags, mode);
    },
    write: (fd, bytes, offset, length) => {
      refuse('write', `fd ${fd}`);
      return nodeHost.files.write(fd, bytes, offset, length);
    },
    mkdir: (at, mode) => {
      refuse('mkdir', at);
      nodeHost.files.mkdir(at, mode);
    },
    ...onlyReadOnly(() => fault === 'EROFS', refuse),
  };
  return {
    directory,
    made: isMounted ? 'mount' : 'port',
    host: isMounted ? nodeHost : { ...nodeHost, files },
    fill: () => {
      fault = 'ENOSPC';
      if (isMounted) fillUp(path.join(directory, 'fill'));
    },
    empty: () => {
      fault = undefined;
      if (isMounted) fs.rmSync(path.join(directory, 'fill'));
    },
    makeReadOnly: () => {
      fault = 'EROFS';
      if (isMounted) run('mount', '-o', 'remount,ro', directory);
    },
    [Symbol.dispose]: () => {
      if (isMounted) run('umount', '-l', directory);
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A host on whose file system no hard link can be made. */
export function withoutLinks(error: string): Host {
  const link = (_existing: string, created: string): void => {
    throw systemError(error, { name: 'link', path: created });
  };
  return { ...nodeHost, files: { ...nodeHost.files, link } };
}

/** What a full disk allows but a read-only one does not. */
function onlyReadOnly(isOn: () => boolean, refuse: (name: string, at: string) => void): Partial<FileSystem> {
  const { files } = nodeHost;
  const guarded = (name: string, at: string, perform: () => void): void => {
    if (isOn()) refuse(name, at);
    perform();
  };
  return {
    link: (existing, created) => guarded('link', created, () => files.link(existing, created)),
    rename: (from, to) => guarded('rename', from, () => files.rename(from, to)),
    unlink: (at) => guarded('unlink', at, () => files.unlink(at)),
    rmdir: (at) => guarded('rmdir', at, () => files.rmdir(at)),
    utimes: (at, timeMs) => guarded('utimes', at, () => files.utimes(at, timeMs)),
  };
}

function mounts(args: readonly string[]): boolean {
  if (process.env['MAILROOM_NO_MOUNT'] !== undefined) return false;
  try {
    run('mount', ...args);
    return true;
  } catch {
    return false;
  }
}

function fillUp(file: string): void {
  const fd = fs.openSync(file, 'w');
  try {
    for (let written = 0; written <= DISK_BYTES; written += FILL_BYTES) fs.writeSync(fd, Buffer.alloc(FILL_BYTES));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    fs.closeSync(fd);
  }
}
