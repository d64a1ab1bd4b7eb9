import { constants } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidInput, MessageRefused } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { MessageType } from '../message/message-type.ts';
import { textOption } from './arguments.ts';
import type { Call } from './command.ts';

const STDIN = 0;
const READ_BYTES = 64 * 1024;
const EMPTY_PIPE_WAIT_MS = 5;

/**
 * The content of a message: the operand as it is, the standard input for `-` alone, or the file of `--file`. Throws
 * `InvalidInput` for content that cannot be read, is not UTF-8, or is only whitespace, which is what an unset variable or a
 * failed command leaves; `MessageRefused` for more than `bytesMax`.
 */
export async function readContent(
  call: Call,
  { operand, bytesMax }: { operand: string | undefined; bytesMax: number },
): Promise<string> {
  const file = textOption(call.args, 'file');
  const isWord = file === undefined && operand !== '-';
  const where = file === undefined ? 'The standard input' : `The file ${resolve(call.cwd, file)}`;
  const content = isWord ? (operand ?? '') : await readText(call, { file, where, bytesMax });
  if (content.trim() !== '' || mayBeEmpty(call)) return content;
  throw new InvalidInput(`${isWord ? 'The content' : where} is empty, so there is nothing to send.`, {
    hint: 'Check the command that should have made the text. To send it anyway, add --allow-empty',
  });
}

/** An acknowledgement needs no text. */
function mayBeEmpty({ args }: Call): boolean {
  return args.options.has('allow-empty') || args.operands.includes(MessageType.ACK);
}

async function readText(
  call: Call,
  { file, where, bytesMax }: { file: string | undefined; where: string; bytesMax: number },
): Promise<string> {
  const bytes =
    file === undefined ? await readAll(call.host, { fd: STDIN, bytesMax }) : await readFile(call, file, bytesMax);
  if (bytes.length > bytesMax) {
    throw new MessageRefused(`${where} has more than ${bytesMax} bytes, the limit for a message.`, {
      reason: 'too-large',
      hint: 'Send the path of the file, or a summary.',
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new InvalidInput(`${where} is not UTF-8 text, which a message must be.`, {
      cause,
      hint: 'Send the path of the file instead.',
    });
  }
}

async function readFile({ host, cwd }: Call, file: string, bytesMax: number): Promise<Buffer> {
  const path = resolve(cwd, file);
  try {
    const fd = host.files.open(path, constants.O_RDONLY);
    try {
      return await readAll(host, { fd, bytesMax });
    } finally {
      host.files.close(fd);
    }
  } catch (cause) {
    throw new InvalidInput(`The file ${path} cannot be read (${errnoOf(cause) ?? String(cause)}).`, {
      cause,
      hint: 'Check the path of --file.',
    });
  }
}

/** Reads to the end, but stops soon after `bytesMax`: a few bytes too many are enough to refuse. */
async function readAll(
  { files, clock }: Pick<Host, 'files' | 'clock'>,
  { fd, bytesMax }: { fd: number; bytesMax: number },
): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  while (length <= bytesMax) {
    const part = Buffer.allocUnsafe(READ_BYTES);
    try {
      const count = files.read(fd, part, 0, part.length, null);
      if (count === 0) break;
      parts.push(part.subarray(0, count));
      length += count;
    } catch (error) {
      if (errnoOf(error) === 'EOF') break;
      // Another process made the pipe non-blocking, and it is still empty.
      if (errnoOf(error) !== 'EAGAIN') throw error;
      await clock.sleep(EMPTY_PIPE_WAIT_MS);
    }
  }
  return Buffer.concat(parts);
}
