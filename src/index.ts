/**
 * `agent-mailroom`: rooms, mailboxes and all errors.
 *
 * @module
 */
export {
  ActorNotFound,
  ActorNotFound as AgentNotFoundError,
  ChainDamaged,
  Conflict,
  Fenced,
  IdentityUnknown,
  InvalidInput,
  LeaseLost,
  MailboxFull,
  MailroomError,
  MessageDeliveryError,
  MessageNotFound,
  MessageRefused,
  RateLimitExceeded,
  RoomNotFound,
  RoomRefused,
  RoomReplaced,
  WaitTimeout,
  WorkflowFailed,
  type ErrorCode,
} from './errors.ts';
export type { ProcessIdentity } from './host/processes.ts';
export type { DeliveryOutcome } from './mailbox/deliver.ts';
export type { EarlyMail } from './mailbox/early.ts';
export type { Durability } from './mailbox/mailbox.ts';
export type { PurgeReport } from './mailbox/purge.ts';
export type { InboxListing, MessageStatus, Unsettled } from './mailbox/status.ts';
export { assertNewAddress } from './message/address.ts';
export { dataJson } from './message/exact-data.ts';
export { createIdSource, type IdRestart, type IdSource } from './message/message-id.ts';
export { MessageType } from './message/message-type.ts';
export type { Message, RefusalReason } from './message/message.ts';
export type { Agent, ListOptions } from './room/agent.ts';
export type { Card, TmuxPane } from './room/card.ts';
export type { RoomConfig } from './room/config.ts';
export type { Draft } from './room/draft.ts';
export type { InboxOptions } from './room/inbox.ts';
export { initRoom, type InitOptions, type InitResult } from './room/init-room.ts';
export type { JoinOptions } from './room/join.ts';
export { DEFAULT_LIMITS, type RoomLimits } from './room/limits.ts';
export type { KeepOptions, KeptMail, Mail } from './room/mail.ts';
export { MessagingSystem } from './room/messaging-system.ts';
export { networkFileSystemOf } from './room/network-file-system.ts';
export type { NudgeReason } from './room/nudge-turns.ts';
export type { SendReport } from './room/deliver-and-log.ts';
export type { SendRetry } from './room/retry-send.ts';
export { openRoom, type ActorInfo, type Nudger, type OpenOptions, type Room } from './room/room.ts';
export type { Algorithm } from './signing/keys.ts';
