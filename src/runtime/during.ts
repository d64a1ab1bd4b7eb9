import type { Cause } from '../step/cause.ts';
import { cut } from '../message/cut.ts';
import { actorLayout } from '../message/layout.ts';
import { visible } from '../message/visible.ts';
import type { RoomContext } from '../room/context.ts';
import { causeText } from '../journal/describe.ts';

const CAUSE_CHARS_MAX = 200;

/** Does what a user wrote, which may never return: until it does, the host's watchdog knows what it is on. */
export function during<T>(
  { host, layout }: RoomContext,
  address: string,
  { on, work }: { readonly on: string; readonly work: () => T },
): T {
  const cause = visible(cut(on, { charsMax: CAUSE_CHARS_MAX }));
  return host.watchdog.during({ path: actorLayout(layout, address).step, cause }, work);
}

/** What a step is on, and who verifiably sent it. */
export function stepText(cause: Cause): string {
  const text = causeText({ cause, outbox: [] });
  return 'mail' in cause && cause.mail ? mailText(text, cause.mail) : text;
}

export function mailText(text: string, { from, id }: { readonly from: string; readonly id: string }): string {
  return `${text} from ${from} (${id.slice(-8)})`;
}
