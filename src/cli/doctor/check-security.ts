import type { Check } from './finding.ts';

/** Says which room it is, in which format, and what a signature in it is worth. */
export const checkSecurity: Check = ({ directory, config, context }) => {
  const { files, processes } = context.host;
  // Where there are no users, the system gives files the number 0.
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
          ? `hmac-sha256: whoever can read ${context.layout.roomKey} can sign as anyone, so signatures show tampering and who it claims to be, and isolate nobody`
          : `ed25519: whoever can read ${context.layout.keys}/<address>.key can sign as that address, so agents are isolated only where a sandbox or another user hides that file from the others`,
    },
  ];
};
