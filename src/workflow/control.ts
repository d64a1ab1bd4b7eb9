/**
 * What a workflow and its children send each other. Each names the child's incarnation, and is believed only from that
 * parent or that child; STOP also from the room itself (`system`) and from the workflow's own key.
 */
export const START = 'START';
export const STOP = 'STOP';
export const END = 'END';
/** An event of XState itself (`sendParent`, `sendTo` a child), whole. */
export const EVENT = 'EVENT';

export const CONTROL_TYPES: ReadonlySet<string> = new Set([START, STOP, END, EVENT]);
