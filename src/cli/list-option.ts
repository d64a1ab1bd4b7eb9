/** The parts of a value such as `a,b`; undefined when there is no value. */
export function listOption(text: string | undefined): string[] | undefined {
  return text
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
