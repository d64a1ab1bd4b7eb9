import { plainOutput, visibleLines } from 'agent-mailroom/workflow';

/** The only door to the terminal: nothing that anybody wrote acts on it. Told on stdout. */
export function tell(text: string): void {
  console.log(shown(text));
}

/** The same on stderr. */
export function complain(text: string): void {
  console.error(shown(text));
}

function shown(text: string): string {
  return visibleLines(plainOutput(text));
}
