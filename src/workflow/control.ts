/**
 * The message types between a workflow and its children. Each message names the child's incarnation and is accepted only from
 * that parent or that child; STOP also from the room itself (`system`) and when signed with the workflow's own key.
 */
export const START = 'START';
export const STOP = 'STOP';
export const END = 'END';
/** Carries a whole XState event (`sendParent`, `sendTo` a child). */
export const EVENT = 'EVENT';

export const CONTROL_TYPES: ReadonlySet<string> = new Set([START, STOP, END, EVENT]);
