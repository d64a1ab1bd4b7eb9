import type { StepResult } from '../../step/step.ts';
import type { Cause } from '../../step/cause.ts';
import type { Reception } from '../../step/receive.ts';
import type { WorkflowState } from '../../step/workflow-state.ts';
import type { Message } from '../../message/message.ts';
import type { Situation } from './situation.ts';

/** Something that can happen next. */
export interface Move {
  /** It happens sooner or later unless something else makes it impossible. */
  readonly isCertain: boolean;
  readonly take: () => Taken;
}

export interface Taken {
  readonly situation: Situation;
  /** What it was to whom; undefined when an agent has only sent something. */
  readonly step?: WorkflowStep;
  /** What an agent has sent, and to whom, when it was more than one message to one workflow. */
  readonly sent?: {
    readonly from: string;
    readonly mail: readonly { message: Message; recipients: readonly string[] }[];
  };
}

/** What one workflow made of what happened to it. */
export interface WorkflowStep {
  readonly address: string;
  readonly message?: Message;
  readonly received?: Reception;
  readonly cause?: Cause;
  readonly before?: WorkflowState | undefined;
  readonly advanced?: StepResult;
}
