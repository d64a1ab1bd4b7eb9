import { actorLayout } from '../../message/layout.ts';
import { quote } from '../../host/shell-word.ts';
import { listAddresses } from '../../room/context.ts';
import type { Check, Finding } from './finding.ts';

/** Messages, cards and keys get to their places by links and renames, which cannot cross from one file system to another. */
export const checkMounts: Check = ({ context }) => {
  const { host, layout } = context;
  const deviceOf = (path: string): number | undefined => host.files.lstat(path)?.dev;
  const apart: { path: string; from: string }[] = [];
  const compare = (from: string, paths: readonly string[]): void => {
    const device = deviceOf(from);
    for (const path of paths) {
      const own = deviceOf(path);
      if (device !== undefined && own !== undefined && own !== device) apart.push({ path, from });
    }
  };
  compare(layout.tmp, [layout.directory, layout.keys, layout.publicKeys, layout.actors]);
  for (const address of listAddresses(context)) {
    const { directory, mailbox } = actorLayout(layout, address);
    compare(layout.tmp, [directory]);
    compare(mailbox.new, [mailbox.tmp, mailbox.cur, mailbox.done, mailbox.dead, mailbox.refused]);
  }
  if (apart.length === 0) return [{ check: 'mounts', level: 'ok', text: 'the room lies on one file system' }];
  return apart.map(({ path, from }): Finding => ({
    check: 'mounts',
    level: 'wrong',
    text: `${path} lies on another file system than ${from}, and nothing can be linked or renamed from one to the other`,
    hint: `Move what is in it onto the file system of the room, then unmount it: umount ${quote(path)}`,
  }));
};
