import type { KeptMail, Mail, Message } from 'agent-mailroom';

/** The answers of the mind, by the question. One that comes before it is asked for again, after a restart, is kept. */
export class Answers {
  readonly #claims: Claims;
  readonly #expected = new Set<string>();
  readonly #come = new Map<string, Mail>();
  readonly #waiting = new Map<string, (answer: Message) => void>();

  constructor(claims: Claims) {
    this.#claims = claims;
  }

  /** An answer to this question is wanted. */
  expect(questionId: string): void {
    this.#expected.add(questionId);
  }

  /** Takes what answers something; what nobody wants any more is dealt with. */
  async take(mail: Mail): Promise<void> {
    const { replyTo = '' } = mail.message;
    if (!this.#expected.has(replyTo)) return this.#claims.settle(mail);
    this.#claims.keep(mail);
    this.#come.set(replyTo, mail);
    this.#waiting.get(replyTo)?.(mail.message);
  }

  /** Rejects with the signal's reason. */
  async of(questionId: string, signal: AbortSignal): Promise<Message> {
    signal.throwIfAborted();
    const come = this.#come.get(questionId);
    if (come) return come.message;
    return new Promise<Message>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(questionId, (answer) => {
        signal.removeEventListener('abort', onAbort);
        resolve(answer);
      });
    });
  }

  /** What came of it is sent, and what caused it is dealt with. */
  async settle(questionId: string): Promise<void> {
    this.#expected.delete(questionId);
    this.#waiting.delete(questionId);
    const mail = this.#come.get(questionId);
    this.#come.delete(questionId);
    if (mail) await this.#claims.settle(mail);
  }
}

/** How long what is read stays claimed; a killed member's next process has it at once all the same. */
export const LEASE_MS = 60_000;

/** Mail that is being dealt with, renewed until it is settled. */
export class Claims implements AsyncDisposable {
  readonly #kept = new Map<Mail, KeptMail>();

  keep(mail: Mail): void {
    if (!this.#kept.has(mail)) this.#kept.set(mail, mail.keep({ leaseMs: LEASE_MS }));
  }

  /** It is dealt with. One that somebody else of this address has by now is dealt with there. */
  async settle(mail: Mail): Promise<void> {
    const kept = this.#kept.get(mail);
    this.#kept.delete(mail);
    await kept?.[Symbol.asyncDispose]();
    await mail.ack().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#kept.values()].map((kept) => kept[Symbol.asyncDispose]()));
  }
}
