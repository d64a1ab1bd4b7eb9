import { InvalidInput } from '../errors.ts';

/** A record that was not appended, because it is larger than a record may be. Nothing was written. */
export class RecordTooLarge extends InvalidInput {
  readonly bytes: number;
  readonly bytesMax: number;

  constructor({ seq, bytes, bytesMax }: { seq: number; bytes: number; bytesMax: number }) {
    super(`record ${seq} has ${bytes} bytes, the limit is ${bytesMax}`, {
      hint: 'Keep what is large in files, and give their paths.',
    });
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}
