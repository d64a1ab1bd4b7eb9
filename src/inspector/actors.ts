import { InspectedDefinition } from './definition.ts';

export interface InspectionOptions {
  /** Shows also what machines remember, are given and return: context, input, output. */
  readonly withContext?: boolean;
  /** The configuration of the machine that a workflow runs, as `createMachine` was given it, where it is known. */
  readonly definitionOf?: (address: string) => unknown;
  /** The parent of a workflow of which no record was given, where it is known. */
  readonly parentOf?: (address: string) => string | undefined;
}

/** A workflow, an activity or command of one, or whoever else had to do with one. */
export interface InspectedActor {
  readonly sessionId: string;
  readonly name: string;
  readonly rootId: string;
  readonly parentId: string | undefined;
  readonly definition: InspectedDefinition;
}

interface Known {
  readonly sessionId: string;
  definition: InspectedDefinition;
  parentId: string | undefined;
  /** What was told of it last. */
  told: readonly (string | undefined)[] | undefined;
}

/** Everybody whom the records speak of, who is above whom, and what was told of each. */
export class InspectedActors {
  readonly #options: InspectionOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: InspectionOptions) {
    this.#options = options;
  }

  definitionOf(sessionId: string): InspectedDefinition {
    return this.#actor(sessionId).definition;
  }

  /** The topmost above it, or itself. */
  rootOf(sessionId: string): string {
    return this.#lineOf(this.#actor(sessionId))[0]?.sessionId ?? sessionId;
  }

  setParent(sessionId: string, parentId: string): void {
    this.#actor(sessionId).parentId ??= parentId;
  }

  /** The actor and those above it, the topmost first, as far as they were not told as they are now. From then on they are. */
  untold(sessionId: string): InspectedActor[] {
    return this.#lineOf(this.#actor(sessionId)).flatMap((actor) => {
      const { definition, parentId } = actor;
      const rootId = this.rootOf(actor.sessionId);
      const now = [rootId, parentId, definition.text];
      if (actor.told?.every((one, at) => one === now[at])) return [];
      actor.told = now;
      return [{ sessionId: actor.sessionId, name: nameOf(actor.sessionId), rootId, parentId, definition }];
    });
  }

  #actor(sessionId: string): Known {
    const { definitionOf, parentOf, withContext = false } = this.#options;
    let actor = this.#known.get(sessionId);
    // What was only known as somebody's correspondent may turn out to be a workflow.
    const config = actor?.definition.isConfigured ? undefined : definitionOf?.(sessionId);
    if (!actor || config !== undefined) {
      const definition = new InspectedDefinition(config, { id: nameOf(sessionId), withContext });
      actor = { parentId: undefined, told: undefined, ...actor, sessionId, definition };
      this.#known.set(sessionId, actor);
    }
    actor.parentId ??= parentOf?.(sessionId);
    return actor;
  }

  /** The actor behind those above it, the topmost first. */
  #lineOf(actor: Known): Known[] {
    const line = [actor];
    for (let at = actor.parentId; at !== undefined; at = line[0]?.parentId) {
      const above = this.#actor(at);
      if (line.includes(above)) break;
      line.unshift(above);
    }
    return line;
  }
}

/** The address, or the id of an activity or command within its workflow. */
function nameOf(sessionId: string): string {
  return sessionId.slice(sessionId.indexOf('/') + 1);
}
