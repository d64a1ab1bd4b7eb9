/** One message's place in the order in which its sender sent. */
export interface Slot {
  /**
   * Resolves once every earlier slot is done; undefined if they all were already. Never rejects for slots of
   * `createSendOrder`. A slot of a workflow's outbox rejects if an earlier message was not delivered, because that one
   * must not be overtaken.
   */
  readonly ready: Promise<void> | undefined;
  /** Lets the next slot proceed; `isLinked` says whether this message was linked for every recipient. Idempotent. */
  done(isLinked?: boolean): void;
}

interface Position {
  isOver: boolean;
  /** Set by the next position; called once when this one is over. */
  onOver: (() => void) | undefined;
}

/** Hands out slots in the order asked for. Every slot must be marked as done. */
export function createSendOrder(): () => Slot {
  let last: Position = { isOver: true, onOver: undefined };
  return () => {
    const before = last;
    const own: Position = { isOver: false, onOver: undefined };
    last = own;
    let isReady = before.isOver;
    let isDone = false;
    const settle = (): void => {
      if (!isReady || !isDone || own.isOver) return;
      own.isOver = true;
      own.onOver?.();
    };
    const ready = isReady
      ? undefined
      : new Promise<void>((resolve) => {
          before.onOver = () => {
            isReady = true;
            resolve();
            settle();
          };
        });
    const done = (): void => {
      isDone = true;
      settle();
    };
    return { ready, done };
  };
}
