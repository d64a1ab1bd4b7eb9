import type { ProcessIdentity, ProcessTree, TreeSignal } from '../processes.ts';

/** A process of a tree. */
export interface TreeProcess {
  readonly pid: number;
  readonly group: number;
}

/** The processes of a tree except this one. */
export interface FoundTree {
  readonly members: readonly TreeProcess[];
  /** Processes that have left the leader's session, if asked for. */
  readonly strays: readonly TreeProcess[];
  /** The process group of this process, which is never signalled as a whole. */
  readonly ownGroup: number | undefined;
}

/**
 * What a kind of system tells about processes, and how it is asked. There is a module for each kind; `thisPlatform`
 * chooses one.
 */
export interface Platform {
  /** The kernel's id of this boot; '' if unknown. */
  bootId(): string;
  /** Whether a recorded boot id may be that of this boot. */
  isThisBoot(bootId: string): boolean;
  /** The number of this process's PID namespace (pid_namespaces(7)); '' if unknown, or if there are none. */
  pidNamespace(): string;
  /** When the process with this pid started; '' if unknown; undefined if there is no such process. */
  startTime(pid: number): string | undefined;
  /**
   * The pid of the leader of this process's session; undefined if it is unknown, has ended, or cannot be seen from
   * here.
   */
  sessionLeader(): number | undefined;
  /** Whether that very process is running, `isElsewhere` aside. */
  isRunning(identity: ProcessIdentity): boolean;
  /**
   * Who belongs to a tree of this boot. 'unsure' if the system could not be asked this time; undefined if it tells
   * nothing of other processes.
   */
  findTree(tree: ProcessTree, scope: TreeSignal['scope']): FoundTree | 'unsure' | undefined;
  /** As `Processes.worksIn`. */
  worksIn(directory: string, options: { name: string; without: readonly string[] }): boolean;
  /** As `Clock.uptimeMs`. */
  uptimeMs(): number;
  /**
   * Why start times, sessions and process trees are unknown here, as a clause for people; undefined if they are known.
   */
  whyBlind(): string | undefined;
}
