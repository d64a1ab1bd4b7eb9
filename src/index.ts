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
export type { Clock } from './host/host.ts';
export type { FileFacts, FileSystem } from './host/file-system.ts';
export type { Host } from './host/host.ts';
export { alwaysGrants, type Lock } from './host/host.ts';
export { nodeHost } from './host/node-host.ts';
export type { ProcessIdentity, Processes, RunResult } from './host/processes.ts';
export type { Watching } from './host/host.ts';
export type { DeliveryOutcome } from './mailbox/deliver.ts';
export type { Durability } from './mailbox/mailbox.ts';
export type { InboxListing, Unsettled } from './mailbox/status.ts';
export type { PurgeReport } from './mailbox/purge.ts';
export type { MessageStatus } from './mailbox/status.ts';
export { assertNewAddress } from './message/address.ts';
export { dataJson } from './message/exact-data.ts';
export { createIdSource, type IdSource } from './message/message-id.ts';
export { MessageType } from './message/message-type.ts';
export type { Message, RefusalReason } from './message/message.ts';
export { Agent } from './room/agent.ts';
export type { Card, TmuxPane } from './room/card.ts';
export type { RoomConfig } from './room/config.ts';
export type { InboxOptions } from './room/inbox.ts';
export { initRoom, type InitResult, type InitOptions } from './room/init-room.ts';
export type { JoinOptions } from './room/join.ts';
export { DEFAULT_LIMITS, type RoomLimits } from './room/limits.ts';
export { Mail, type KeepOptions, type KeptMail } from './room/mail.ts';
export { MessagingSystem } from './room/messaging-system.ts';
export { networkFileSystemOf } from './room/network-file-system.ts';
export { openRoom, Room, type ActorInfo, type OpenOptions } from './room/room.ts';
export type { Draft } from './room/draft.ts';
export type { SendReport } from './room/deliver-and-log.ts';
export type { SendRetry } from './room/retry-send.ts';
