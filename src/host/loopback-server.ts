/** Somebody who listens to a stream of texts. */
export interface Listener {
  /** Resolves when the system has taken the text (UTF-8), or nobody listens any more; never rejects. */
  send(text: Uint8Array): Promise<void>;
  /** Aborted when nobody listens any more. */
  readonly gone: AbortSignal;
  /** Ends the connection in good order; the reason is for whoever listened. */
  end(reason: string): void;
}

export interface Page {
  readonly contentType: string;
  readonly body: string;
}

export interface LoopbackOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  /** By path. */
  readonly pages: ReadonlyMap<string, Page>;
  /** Content-Security-Policy of all pages. */
  readonly policy: string;
  /**
   * What a listener must send first, as one text message: every user of this machine can reach the port. Keep it off command
   * lines, which every user can read.
   */
  readonly token: string;
  readonly listenersMax: number;
  readonly onListener: (listener: Listener) => void;
}

/** A server that only this machine reaches, at 127.0.0.1: pages that hold no secret, and a websocket at `/` that sends. */
export interface LoopbackServer {
  readonly port: number;
  /** Ends all connections; then nothing of it is left, and nothing keeps the process. Never rejects. */
  close(): Promise<void>;
}

/** Rejects with the system's error when the port cannot be had. */
export type StartLoopbackServer = (options: LoopbackOptions) => Promise<LoopbackServer>;
