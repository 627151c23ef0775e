import type { Host } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";

/** What the variables of a rule see. */
export interface VariableScope {
  /** `request`, `images`, context entries, ...; members may be getters that load on reading and throw what they like. */
  readonly root: JsonObject;
  /** A DELETE request: `request.object` then stands for `request.oldObject`. */
  readonly deleting: boolean;
  readonly host: Host;
}

/** A variable or reference that could not be resolved. */
export class VariableError extends Error {
  override readonly name = "VariableError";
  /** The path named a member that does not exist, as opposed to an expression that failed. */
  readonly notFound: boolean;

  constructor(message: string, notFound: boolean) {
    super(message);
    this.notFound = notFound;
  }
}
