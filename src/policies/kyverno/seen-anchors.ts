import type { JsonObject } from "../../core/json.ts";
import { type Anchor, formatAnchor, parseAnchor } from "./anchor.ts";

/** An anchor whose key is looked out for. */
export interface WatchedAnchor {
  readonly anchor: Anchor;
  /** As patterns write it. */
  readonly name: string;
}

export const watchedAnchor = (anchor: Anchor): WatchedAnchor => ({ anchor, name: formatAnchor(anchor) });

/**
 * Which anchors that name a key have been met, and whether any object that was looked at had the key. A pattern that fails
 * while such a key is missing everywhere could not be applied, which Kyverno reports as an error, not as a failure.
 */
export class SeenAnchors {
  readonly #found: Map<string, boolean>;

  constructor(found: Iterable<readonly [string, boolean]> = []) {
    this.#found = new Map(found);
  }

  note(anchors: readonly WatchedAnchor[], object: JsonObject): void {
    for (const { anchor, name } of anchors) {
      const found = this.#found.get(name) === true || (Object.hasOwn(object, anchor.key) && object[anchor.key] !== undefined);
      this.#found.set(name, found);
    }
  }

  /** Keys of negation anchors are meant to be missing. */
  keysAreMissing(): boolean {
    for (const [name, found] of this.#found) if (!found && parseAnchor(name)?.kind !== "negation") return true;
    return false;
  }
}
