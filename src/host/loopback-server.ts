/** A client that listens to a stream of texts. */
export interface Listener {
  /** Resolves when the system has taken the text (UTF-8) or the client is gone; never rejects. */
  send(text: Uint8Array): Promise<void>;
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal;
  /** Closes the connection cleanly; the reason is sent to the client. */
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
   * What a client must send first, as one text message, because every user of this machine can reach the port. Keep it
   * off command lines, which every user can read.
   */
  readonly token: string;
  readonly listenersMax: number;
  readonly onListener: (listener: Listener) => void;
}

/** A server on 127.0.0.1, which only this machine reaches: pages without secrets, and a sending websocket at `/`. */
export interface LoopbackServer {
  readonly port: number;
  /** Closes all connections and frees everything, so that nothing keeps the process alive. Never rejects. */
  close(): Promise<void>;
}

/** Rejects with the system's error if the port is unavailable. */
export type StartLoopbackServer = (options: LoopbackOptions) => Promise<LoopbackServer>;
