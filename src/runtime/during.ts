import type { Cause } from '../step/cause.ts';
import { cut } from '../message/cut.ts';
import { actorLayout } from '../message/layout.ts';
import { visible } from '../message/visible.ts';
import type { RoomContext } from '../room/context.ts';
import { causeText } from '../journal/describe.ts';

const CAUSE_CHARS_MAX = 200;

/** Runs user code, which may never return: until it does, the host's watchdog knows what the code is working on. */
export function during<T>(
  { host, layout }: RoomContext,
  address: string,
  { on, work }: { readonly on: string; readonly work: () => T },
): T {
  const cause = visible(cut(on, { charsMax: CAUSE_CHARS_MAX }));
  return host.watchdog.during({ path: actorLayout(layout, address).step, cause }, work);
}

/** The cause of a step in a few words, and its verified sender. */
export function stepText(cause: Cause): string {
  const text = causeText({ cause, outbox: [] });
  return 'mail' in cause && cause.mail ? mailText(text, cause.mail) : text;
}

export function mailText(text: string, { from, id }: { readonly from: string; readonly id: string }): string {
  return `${text} from ${from} (${id.slice(-8)})`;
}
