import { expectTypeOf, test } from 'vitest';
import {
  ActorNotFound,
  AgentNotFoundError,
  Conflict,
  LeaseLost,
  MailboxFull,
  MailroomError,
  MessageDeliveryError,
  MessageRefused,
  RateLimitExceeded,
  RoomNotFound,
  type ErrorCode,
} from '../../src/index.ts';

test('a switch over the code is exhaustive with exactly these cases', () => {
  const exitCodeOf = (code: ErrorCode): number => {
    switch (code) {
      case 'ROOM_NOT_FOUND':
      case 'ROOM_REPLACED':
      case 'ACTOR_NOT_FOUND':
      case 'MESSAGE_NOT_FOUND':
        return 3;
      case 'INVALID_INPUT':
      case 'IDENTITY_UNKNOWN':
        return 2;
      case 'TIMEOUT':
        return 4;
      case 'MESSAGE_REFUSED':
        return 5;
      case 'CONFLICT':
      case 'FENCED':
      case 'RATE_LIMIT_EXCEEDED':
        return 6;
      case 'ROOM_REFUSED':
      case 'MESSAGE_DELIVERY':
      case 'MAILBOX_FULL':
      case 'LEASE_LOST':
      case 'CHAIN_DAMAGED':
      case 'COMMAND_FAILED':
      case 'WORKFLOW_FAILED':
        return 1;
      default:
        // A new code that is not handled here is a type error.
        return code satisfies never;
    }
  };
  expectTypeOf(exitCodeOf).parameter(0).not.toEqualTypeOf<string>();
});

test('every error is a MailroomError with a code, a hint and a cause', () => {
  expectTypeOf<MailroomError>().toExtend<Error>();
  expectTypeOf<MailroomError['code']>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<MailroomError['hint']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<MailroomError['cause']>().toEqualTypeOf<unknown>();
  expectTypeOf(ActorNotFound).instance.toExtend<MailroomError>();
  expectTypeOf(Conflict).instance.toExtend<MailroomError>();
  expectTypeOf(LeaseLost).instance.toExtend<MailroomError>();
  expectTypeOf(MailboxFull).instance.toExtend<MailroomError>();
  expectTypeOf(MessageDeliveryError).instance.toExtend<MailroomError>();
  expectTypeOf(MessageRefused).instance.toExtend<MailroomError>();
  expectTypeOf(RateLimitExceeded).instance.toExtend<MailroomError>();
  expectTypeOf(RoomNotFound).instance.toExtend<MailroomError>();
});

test('what a caller needs besides the code is a field of its class', () => {
  expectTypeOf<RateLimitExceeded['retryAt']>().toEqualTypeOf<number>();
  expectTypeOf<ActorNotFound['address']>().toEqualTypeOf<string>();
  expectTypeOf<ActorNotFound['nearest']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<MessageDeliveryError['id']>().toEqualTypeOf<string>();
  expectTypeOf<MessageDeliveryError['outcome']>().toEqualTypeOf<'failed' | 'unknown'>();
  expectTypeOf<MessageRefused['reason']>().toEqualTypeOf<string>();
  expectTypeOf(AgentNotFoundError).toEqualTypeOf(ActorNotFound);
});

test('instanceof narrows a caught error to its fields', () => {
  const retryAtOf = (error: unknown): number | undefined => {
    // @ts-expect-error: a caught value is unknown.
    void error.retryAt;
    if (error instanceof RateLimitExceeded) return error.retryAt;
    // @ts-expect-error: other errors have no such time.
    if (error instanceof MailroomError) return error.retryAt;
    return undefined;
  };
  expectTypeOf(retryAtOf).returns.toEqualTypeOf<number | undefined>();
});
