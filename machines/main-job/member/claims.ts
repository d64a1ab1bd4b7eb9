import type { Mail } from 'agent-mailroom';

/** How long what is read stays claimed; a killed member's next process has it at once all the same. */
export const LEASE_MS = 60_000;
const RENEW_MS = LEASE_MS / 3;

/** Mail that is being dealt with, renewed until it is settled. */
export class Claims implements Disposable {
  readonly #mail = new Set<Mail>();
  readonly #timer = setInterval(() => void this.#renew(), RENEW_MS);

  async keep(mail: Mail): Promise<void> {
    this.#mail.add(mail);
    // One that a process before this one has claimed may be near its end.
    await mail.renew(LEASE_MS).catch(() => {});
  }

  /** It is dealt with. One that somebody else of this address has by now is dealt with there. */
  async settle(mail: Mail): Promise<void> {
    this.#mail.delete(mail);
    await mail.ack().catch(() => {});
  }

  async #renew(): Promise<void> {
    for (const mail of this.#mail) await mail.renew(LEASE_MS).catch(() => {});
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
