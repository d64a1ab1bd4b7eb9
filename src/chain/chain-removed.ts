import { ChainDamaged } from '../errors.ts';

/** The file of a chain is not the one at its path any more: nobody will ever read what was appended to it. */
export class ChainRemoved extends ChainDamaged {
  constructor(path: string) {
    super(`the chain file ${path} was removed or replaced while it was in use; what was appended to it last is lost`, {
      hint: 'Put it back from a backup, if it was removed by mistake, and start again.',
    });
  }
}
