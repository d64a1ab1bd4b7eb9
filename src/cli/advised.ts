/** An error for which the command line knows better what to do next than the library, which does not know the command. */
export class Advised extends Error {
  readonly error: Error;
  readonly hint: string;

  constructor(error: Error, hint: string) {
    super(error.message, { cause: error });
    this.name = 'Advised';
    this.error = error;
    this.hint = hint;
  }
}
