import fs from 'node:fs';
import { createIdSource, type Agent, type Draft, type Message } from 'agent-mailroom';
import { nodeHost } from 'agent-mailroom/runtime';
import type { Answers } from './answers.ts';
import { readStored, writeStored } from './stored.ts';

/** What the mind has answered. */
export interface Thought {
  readonly content: string;
  readonly data: unknown;
  /** The program behind it has failed, and the content says why. */
  readonly isFailure: boolean;
}

export interface Question {
  readonly content: string;
  /** One conversation of the mind. */
  readonly threadId: string;
  /** JSON Schema of the answer's data. */
  readonly replySchema?: unknown;
}

export interface CaseSurroundings {
  readonly agent: Agent;
  readonly mind: string;
  readonly answers: Answers;
  readonly signal: AbortSignal;
}

/** What is on the disk of a case. */
interface CaseRecord {
  readonly v: 1;
  readonly cause: { readonly id: string; readonly from: string };
  /** Ids of questions to the mind. */
  readonly questions: readonly string[];
  readonly steps: Readonly<Record<string, unknown>>;
}

/**
 * One message that is dealt with, in steps. What a step has found out or is about to send is on the disk before anything
 * depends on it, with the id of the message; so whoever goes on after a kill sends the same messages under the same ids,
 * which is nothing where they have come, and the mind is asked once. The record goes when the message is acknowledged.
 */
export class Case {
  readonly message: Message;
  readonly #file: string;
  readonly #around: CaseSurroundings;
  #record: CaseRecord;

  constructor(message: Message, file: string, around: CaseSurroundings) {
    this.message = message;
    this.#file = file;
    this.#around = around;
    const { id, from } = message;
    const stored = readStored(file) as CaseRecord | undefined;
    this.#record = stored?.v === 1 ? stored : { v: 1, cause: { id, from }, questions: [], steps: {} };
    for (const question of this.#record.questions) around.answers.expect(question);
  }

  get signal(): AbortSignal {
    return this.#around.signal;
  }

  /** What a step has found out; it is made once, and is JSON. */
  once<T>(step: string, make: () => T): T {
    const { steps } = this.#record;
    if (step in steps) return steps[step] as T;
    const made = make();
    this.#store({ ...this.#record, steps: { ...steps, [step]: made } });
    return made;
  }

  /** The same for what takes its time. */
  async onceDone<T>(step: string, make: () => Promise<T>): Promise<T> {
    const { steps } = this.#record;
    if (step in steps) return steps[step] as T;
    const made = await make();
    return this.once(step, () => made);
  }

  /** Sends a message of this step, once. Rejects when it cannot be delivered. */
  async send(step: string, make: () => Draft & { readonly to: string }): Promise<void> {
    const letter = this.once(`send ${step}`, (): Letter => ({ ...make(), id: newMessageId() }));
    await this.#send(letter);
  }

  /** Asks the mind, once, and waits for what it answers. Rejects with the signal's reason. */
  async ask(step: string, make: () => Question): Promise<Thought> {
    const { mind: to, answers } = this.#around;
    const letter = this.once(`ask ${step}`, (): Letter => {
      const { content, threadId, replySchema } = make();
      const data = replySchema === undefined ? {} : { data: { replySchema } };
      return { to, type: 'QUESTION', content, threadId, ...data, id: newMessageId() };
    });
    const { id } = letter;
    if (!this.#record.questions.includes(id)) {
      this.#store({ ...this.#record, questions: [...this.#record.questions, id] });
      answers.expect(id);
    }
    await this.#send(letter);
    const { type, content, data } = await answers.of(id, this.signal);
    return { content, data, isFailure: type === 'BLOCKED' };
  }

  /** After the message is acknowledged: nothing of it is needed any more. */
  async close(): Promise<void> {
    for (const question of this.#record.questions) await this.#around.answers.settle(question);
    fs.rmSync(this.#file, { force: true });
  }

  async #send(letter: Letter): Promise<void> {
    await this.#around.agent.send(letter, { retry: { signal: this.signal } });
  }

  #store(record: CaseRecord): void {
    writeStored(this.#file, record);
    this.#record = record;
  }
}

/** The message that a record is of; undefined for a file that is none. */
export function causeIn(file: string): CaseRecord['cause'] | undefined {
  return (readStored(file) as CaseRecord | undefined)?.cause;
}

/** The questions of a case that is not begun yet. */
export function questionsIn(file: string): readonly string[] {
  return (readStored(file) as CaseRecord | undefined)?.questions ?? [];
}

const ids = createIdSource(nodeHost.randomBytes);

/** The id of a message that is stored before it is sent, so that each try sends the same one. Later ones are greater. */
function newMessageId(): string {
  return ids.next(nodeHost.clock.now());
}

/** A message with the id under which every try sends it. */
export interface Letter extends Draft {
  readonly to: string;
  readonly id: string;
}
