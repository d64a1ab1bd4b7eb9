/** One message's place in the order in which its sender sent. */
export interface Turn {
  /** Resolves when everything sent before has passed; never rejects. */
  readonly came: Promise<void>;
  /** Lets the next one go on. Repeating it does nothing. */
  pass(): void;
}

/** Hands out turns in the order asked for. Every turn must be passed. */
export function createTurns(): () => Turn {
  let last = Promise.resolve();
  return () => {
    const came = last;
    let pass: () => void = () => {};
    const passed = new Promise<void>((resolve) => (pass = resolve));
    last = came.then(() => passed);
    return { came, pass };
  };
}
