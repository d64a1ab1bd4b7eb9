import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** When each name appeared: monotonic ns, comparable between processes of one machine (clock_gettime(2)). */
export type Stamps = ReadonlyMap<string, number>;

export interface OtherProcess {
  /** `files`: bare files are linked into `directory/new`; `messages`: alice sends to bob in that room. */
  ask(work: { kind: 'files' | 'messages'; directory: string; count: number; gapMs: number }): Promise<Stamps>;
  /** Resolves when the first of the messages asked for next was sent. */
  started(): Promise<void>;
  end(): void;
}

type Told = { kind: 'ready' | 'started' } | { kind: 'done'; stamps: [string, number][] };

export async function startOtherProcess(dist: string): Promise<OtherProcess> {
  const program = fileURLToPath(new URL('./children/sender.mjs', import.meta.url));
  // Not through the loader that this process may have: the child is plain JavaScript.
  const child = fork(program, [dist], { execArgv: [] });
  await told(child, 'ready');
  return {
    ask: async (work) => {
      const done = told(child, 'done');
      child.send(work);
      const { stamps } = (await done) as Extract<Told, { kind: 'done' }>;
      return new Map(stamps);
    },
    started: async () => void (await told(child, 'started')),
    end: () => void child.send({ kind: 'end' }),
  };
}

function told(child: ChildProcess, kind: Told['kind']): Promise<Told> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const onMessage = (message: unknown): void => {
      if ((message as Told).kind !== kind) return;
      end();
      resolve(message as Told);
    };
    const onExit = (code: number | null): void => {
      end();
      reject(new Error(`the other process ended with ${code} before it was ${kind}`));
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
