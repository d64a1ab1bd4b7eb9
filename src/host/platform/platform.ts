import type { ProcessIdentity, ProcessTree, TreeSignal } from '../processes.ts';

/** A process that a tree consists of. */
export interface Member {
  readonly pid: number;
  readonly group: number;
}

/** The processes of a tree but this one. */
export interface FoundTree {
  readonly members: readonly Member[];
  /** Those that have left the leader's session, where they were asked for. */
  readonly strays: readonly Member[];
  /** The process group of this process, which is never signalled as a whole. */
  readonly ownGroup: number | undefined;
}

/** What a kind of system tells of processes, and how it is asked. There is a module for each kind; `thisPlatform` chooses one. */
export interface Platform {
  /** The kernel's id of this boot; '' where it is not told. */
  bootId(): string;
  /** Whether what somebody wrote down as the id of a boot may be that of this one. */
  isThisBoot(bootId: string): boolean;
  /** The number of this process's PID namespace (pid_namespaces(7)); '' where it is not told, or there are none. */
  pidNamespace(): string;
  /** When the process with this pid started, '' where that is not told; undefined when nobody runs under it. */
  startTime(pid: number): string | undefined;
  /** The pid of the leader of this process's session; undefined where it is not told, has ended, or cannot be seen from here. */
  sessionLeader(): number | undefined;
  /** Whether that very process is running, `isElsewhere` aside. */
  isRunning(identity: ProcessIdentity): boolean;
  /**
   * Who belongs to a tree of this boot. 'unsure' when the system could not be asked this time; undefined where it tells nothing of
   * other processes.
   */
  findTree(tree: ProcessTree, scope: TreeSignal['scope']): FoundTree | 'unsure' | undefined;
  /** As `Processes.worksIn`. */
  worksIn(directory: string, options: { name: string; without: readonly string[] }): boolean;
  /** As `Clock.uptimeMs`. */
  uptimeMs(): number;
  /** Why start times, sessions and process trees cannot be told here, as a clause for people; undefined where they can. */
  whyBlind(): string | undefined;
}
