/** An event of XState that is JSON. */
export type PlainEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** An error as it survives JSON. */
export interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

/** Who has started a child, and as what. */
export interface ParentRef {
  readonly address: string;
  readonly childId: string;
  /** The name of the child's logic among the parent's actors. */
  readonly src: string;
}
