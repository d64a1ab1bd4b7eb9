import { MailroomError } from '../errors.ts';

/**
 * `not-started`: nothing ran. `lost`: it ran, and nobody knows how far. `cancelled`: somebody ended it.
 * `damaged`: a file of the job makes no sense. `not-ended`: the system does not let its processes be ended.
 */
export type JobFailureReason = 'not-started' | 'lost' | 'cancelled' | 'damaged' | 'not-ended';

/** A job that has no result. Asking again gives the same answer, unless it was that no wrapper could be started. */
export class JobFailed extends MailroomError {
  readonly reason: JobFailureReason;

  constructor(message: string, details: { reason: JobFailureReason; hint?: string; cause?: unknown }) {
    super('COMMAND_FAILED', message, details);
    this.reason = details.reason;
  }
}
