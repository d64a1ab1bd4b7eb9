import type { MailroomError } from '../errors.ts';

/** An error for which the command line knows better what to do next than the library, which does not know the command. */
export class Advised extends Error {
  readonly error: MailroomError;
  readonly hint: string;

  constructor(error: MailroomError, hint: string) {
    super(error.message, { cause: error });
    this.name = 'Advised';
    this.error = error;
    this.hint = hint;
  }
}
