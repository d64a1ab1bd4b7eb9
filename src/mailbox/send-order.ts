/** One message's place in the order in which its sender sent. */
export interface Turn {
  /**
   * Resolves when everything sent before has passed; undefined when it had passed already. Rejects where that must not be
   * overtaken and has not arrived, as in a workflow's outbox; of `createTurns` it never does.
   */
  readonly came: Promise<void> | undefined;
  /** Lets the next one go on: whether this one has been linked for everybody. Repeating it does nothing. */
  pass(isLinked?: boolean): void;
}

interface Place {
  isOver: boolean;
  /** Told of it, once; the next in the order. */
  onOver: (() => void) | undefined;
}

/** Hands out turns in the order asked for. Every turn must be passed. */
export function createTurns(): () => Turn {
  let last: Place = { isOver: true, onOver: undefined };
  return () => {
    const before = last;
    const place: Place = { isOver: false, onOver: undefined };
    last = place;
    let hasCome = before.isOver;
    let hasPassed = false;
    const settle = (): void => {
      if (!hasCome || !hasPassed || place.isOver) return;
      place.isOver = true;
      place.onOver?.();
    };
    const came = hasCome
      ? undefined
      : new Promise<void>((resolve) => {
          before.onOver = () => {
            hasCome = true;
            resolve();
            settle();
          };
        });
    const pass = (): void => {
      hasPassed = true;
      settle();
    };
    return { came, pass };
  };
}
