import { createHash } from 'node:crypto';
import type { AnyStateMachine, InputFrom } from 'xstate';
import { InvalidInput } from '../../errors.ts';
import type { JobSpec } from '../../jobs/job.ts';
import { checkMachine } from '../../step/check-machine.ts';
import type { ErrorFacts, WorkflowStatus } from '../../step/workflow-state.ts';
import { isActorAddress, isAddress, SYSTEM } from '../../message/address.ts';
import { findNonJson } from '../../message/json-value.ts';
import type { Message } from '../../message/message.ts';

/** A system of workflows and the agents around them. */
export interface SystemUnderTest<TMachines extends Machines = Machines> {
  /** The workflows that are started by hand, by address. Their children come by themselves. */
  readonly workflows: {
    readonly [A in keyof TMachines]: { readonly machine: TMachines[A]; readonly input?: InputFrom<TMachines[A]> };
  };
  /** Everybody else who has joined the room. An agent without options only takes mail. `system` may send STOP. */
  readonly agents?: Readonly<Record<string, AgentUnderTest>>;
  /**
   * What an activity or command may end with, each as `{ output }` or `{ error }`; with `null` among them it may also
   * never end. Needed as soon as a machine invokes one.
   */
  readonly outcomes?: (activity: ActivityUnderTest) => readonly (Outcome | null)[];
}

export type Machines = Readonly<Record<string, AnyStateMachine>>;

export interface AgentUnderTest {
  /** Mail that it may send at any moment, in any order. */
  readonly sends?: readonly AgentMail[];
  /**
   * How it may react to a message that it gets: one of these, whenever it likes; with `null` among them perhaps never. An
   * array is several messages, in that order. Nothing, or an empty list, when it does not react.
   */
  readonly answers?: (message: Message) => readonly (AgentAnswer | readonly AgentAnswer[] | null)[] | undefined;
  /** Message types that its card declares. */
  readonly accepts?: readonly string[];
  /** What it keeps of a message, for `invariant` and `summarize`. The more it keeps, the more states there are. */
  readonly remembers?: (message: Message) => string | undefined;
}

export interface AgentMail {
  /** An address, or `all`. */
  readonly to: string;
  readonly type: string;
  readonly content?: string;
  readonly data?: unknown;
  /** How often at most; once when not given. */
  readonly times?: number;
  /** It is sent in every run, at some moment. When not given, it may also never be sent. */
  readonly always?: boolean;
}

/** A reply; with `to` a message to somebody else instead. */
export interface AgentAnswer {
  readonly type: string;
  readonly content?: string;
  readonly data?: unknown;
  readonly to?: string;
}

export interface ActivityUnderTest {
  /** Of the workflow. */
  readonly address: string;
  /** Its name among the machine's actors. */
  readonly src: string;
  readonly input: unknown;
  /** What a command would run. */
  readonly command?: JobSpec;
}

export type Outcome = { readonly output: unknown } | { readonly error: unknown };

/** A workflow as `invariant` and `summarize` see it. */
export interface WorkflowSeen {
  /** `failed`: it cannot get past a step that threw, and nothing happens to it any more. */
  readonly status: WorkflowStatus | 'failed';
  /** XState's state value. */
  readonly value: unknown;
  readonly context: unknown;
  readonly output?: unknown;
  readonly error?: ErrorFacts;
}

export interface SituationSeen {
  /** By address: those started by hand, and children that have not ended. */
  readonly workflows: Readonly<Record<string, WorkflowSeen>>;
  /** What each agent remembers, oldest first. */
  readonly agents: Readonly<Record<string, readonly string[]>>;
}

/** Throws InvalidInput for a system that cannot be. */
export function assertSystem({ workflows, agents = {} }: SystemUnderTest): void {
  for (const [address, { machine, input }] of Object.entries(workflows)) {
    if (!isActorAddress(address)) throw new InvalidInput(`explore(): no workflow can have the address "${address}".`);
    if (address in agents) throw new InvalidInput(`explore(): "${address}" is both a workflow and an agent.`);
    checkMachine(machine);
    const fault = input === undefined ? undefined : findNonJson(input, 'input');
    if (fault)
      throw new InvalidInput(
        `explore(): the input of ${address} has something at ${fault} that JSON cannot represent.`,
      );
  }
  for (const [name, { sends = [] }] of Object.entries(agents)) {
    if (!isActorAddress(name) && name !== SYSTEM) {
      throw new InvalidInput(`explore(): no agent can have the address "${name}".`);
    }
    for (const { to, type, data, times = 1 } of sends) {
      if (!(Number.isSafeInteger(times) && times > 0)) {
        throw new InvalidInput(`explore(): ${name} sends ${type} ${times} times: expected a whole number from 1 on.`);
      }
      if (!isAddress(to)) throw new InvalidInput(`explore(): ${name} sends ${type} to "${to}", which is no address.`);
      assertData(data, `${name} sends ${type}`);
    }
  }
}

/** Throws InvalidInput for data that no message can carry. */
export function assertData(data: unknown, what: string): void {
  const fault = data === undefined ? undefined : findNonJson(data, 'data');
  if (fault) throw new InvalidInput(`explore(): ${what} with something at ${fault} that JSON cannot represent.`);
}

/** An id of a message: always the same for the same words, so that the same history has the same ids. */
export function messageIdOf(words: string): string {
  const hex = digest(words);
  return `${MESSAGE_ID_START}${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`;
}

/** A UUIDv7 of the first ms of the epoch: no message of a real room has one. */
export const MESSAGE_ID_START = '00000000-0000-7';

export function incarnationOf(address: string): string {
  return digest(`run ${address}`).slice(0, 12);
}

function digest(words: string): string {
  return createHash('sha1').update(words).digest('hex');
}
