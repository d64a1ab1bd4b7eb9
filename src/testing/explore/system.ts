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
  /** The workflows that are started by hand, by address. Their children are found by themselves. */
  readonly workflows: {
    readonly [A in keyof TMachines]: {
      /** The workflow's machine. */
      readonly machine: TMachines[A];
      /** The machine's input. Default: none. */
      readonly input?: InputFrom<TMachines[A]>;
    };
  };
  /** All other actors of the room, by address. An agent without options only receives. `system` can send STOP. Default: none. */
  readonly agents?: Readonly<Record<string, AgentUnderTest>>;
  /** The possible outcomes of an activity or command; `null` if it may never end. Required if a machine invokes one. */
  readonly outcomes?: (activity: ActivityUnderTest) => readonly (Outcome | null)[];
}

/** Machines by the address that each runs at. */
export type Machines = Readonly<Record<string, AnyStateMachine>>;

/** What an agent of the system may do. */
export interface AgentUnderTest {
  /** Messages that the agent may send at any moment, in any order. Default: none. */
  readonly sends?: readonly AgentMail[];
  /**
   * The possible reactions to a message, of which the agent takes one at any later moment. `null` is no reaction; an array is
   * several messages in this order. Undefined or an empty list: it never reacts.
   */
  readonly answers?: (message: Message) => readonly (AgentAnswer | readonly AgentAnswer[] | null)[] | undefined;
  /** The message types that the agent's card declares. Default: none. */
  readonly accepts?: readonly string[];
  /** What the agent remembers of a message, for `invariant` and `summarize`. More memory means more states. Default: nothing. */
  readonly remembers?: (message: Message) => string | undefined;
}

/** A message that an agent may send. */
export interface AgentMail {
  /** An address, or `all`. */
  readonly to: string;
  /** The message type. */
  readonly type: string;
  /** Text for a reader. Default: empty. */
  readonly content?: string;
  /** JSON for a program. Default: none. */
  readonly data?: unknown;
  /** How many times the agent may send it. Default: 1. */
  readonly times?: number;
  /** Send it in every run, at some moment. Default: false, so that it may also never be sent. */
  readonly always?: boolean;
}

/** A reply of an agent, or with `to` a message to another actor. */
export interface AgentAnswer {
  /** The message type. */
  readonly type: string;
  /** Text for a reader. Default: empty. */
  readonly content?: string;
  /** JSON for a program. Default: none. */
  readonly data?: unknown;
  /** The recipient, if it is not the sender of the message. */
  readonly to?: string;
}

/** An activity or command that a machine has invoked. */
export interface ActivityUnderTest {
  /** The address of the workflow. */
  readonly address: string;
  /** The name of the logic among the machine's actors. */
  readonly src: string;
  /** The invoke's input. */
  readonly input: unknown;
  /** What a command would run; missing for an activity. */
  readonly command?: JobSpec;
}

/** How an activity or command ends. */
export type Outcome =
  /** It succeeds. */
  | {
      /** Its output. */
      readonly output: unknown;
    }
  /** It fails. */
  | {
      /** What it throws. */
      readonly error: unknown;
    };

/** A workflow as `invariant` and `summarize` see it. */
export interface WorkflowSeen {
  /** `failed`: a step of the workflow threw, so that nothing happens to it any more. */
  readonly status: WorkflowStatus | 'failed';
  /** XState's state value. */
  readonly value: unknown;
  /** The machine's context. */
  readonly context: unknown;
  /** The machine's output, if it is done. */
  readonly output?: unknown;
  /** The machine's error, if it ended with one. */
  readonly error?: ErrorFacts;
}

/** A system at one moment, as `invariant` and `summarize` see it. */
export interface SituationSeen {
  /** The workflows that were started by hand and all children that have not ended, by address. */
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
