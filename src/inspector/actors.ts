import { InspectedDefinition } from './definition.ts';

export interface InspectionOptions {
  /** Also show context, input and output. Default: false. */
  readonly withContext?: boolean;
  /** The configuration of a workflow's machine, as `createMachine` was given it; undefined if unknown. */
  readonly definitionOf?: (address: string) => unknown;
  /** The parent of a workflow of which no record was seen; undefined if unknown. */
  readonly parentOf?: (address: string) => string | undefined;
}

/** A workflow, an activity or command of one, or an actor that exchanged mail with one. */
export interface InspectedActor {
  readonly sessionId: string;
  readonly name: string;
  readonly rootId: string;
  readonly parentId: string | undefined;
  readonly definition: InspectedDefinition;
}

interface KnownActor {
  readonly sessionId: string;
  definition: InspectedDefinition;
  parentId: string | undefined;
  /** What was last reported of it. */
  reported: readonly (string | undefined)[] | undefined;
}

/** All actors that the records mention, their parents, and what was last reported of each. */
export class InspectedActors {
  readonly #options: InspectionOptions;
  readonly #known = new Map<string, KnownActor>();

  constructor(options: InspectionOptions) {
    this.#options = options;
  }

  definitionOf(sessionId: string): InspectedDefinition {
    return this.#actor(sessionId).definition;
  }

  /** The topmost ancestor, or the actor itself. */
  rootOf(sessionId: string): string {
    return this.#lineOf(this.#actor(sessionId))[0]?.sessionId ?? sessionId;
  }

  setParent(sessionId: string, parentId: string): void {
    this.#actor(sessionId).parentId ??= parentId;
  }

  /** The actor and its ancestors, topmost first, as far as they are new or changed since the last report. Marks them as reported. */
  unreported(sessionId: string): InspectedActor[] {
    return this.#lineOf(this.#actor(sessionId)).flatMap((actor) => {
      const { definition, parentId } = actor;
      const rootId = this.rootOf(actor.sessionId);
      const now = [rootId, parentId, definition.text];
      if (actor.reported?.every((one, at) => one === now[at])) return [];
      actor.reported = now;
      return [{ sessionId: actor.sessionId, name: nameOf(actor.sessionId), rootId, parentId, definition }];
    });
  }

  #actor(sessionId: string): KnownActor {
    const { definitionOf, parentOf, withContext = false } = this.#options;
    let actor = this.#known.get(sessionId);
    // An actor that was known only from its mail may turn out to be a workflow.
    const config = actor?.definition.isConfigured ? undefined : definitionOf?.(sessionId);
    if (!actor || config !== undefined) {
      const definition = new InspectedDefinition(config, { id: nameOf(sessionId), withContext });
      actor = { parentId: undefined, reported: undefined, ...actor, sessionId, definition };
      this.#known.set(sessionId, actor);
    }
    actor.parentId ??= parentOf?.(sessionId);
    return actor;
  }

  /** The ancestors of the actor, topmost first, and the actor itself. */
  #lineOf(actor: KnownActor): KnownActor[] {
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
