import type { Facts } from "../../core/facts.ts";
import type { Host } from "../../core/host.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import type { RegoObject, Value } from "../../languages/rego/values/value.ts";
import type { Review } from "./review.ts";

/** What a template says of an object. `error`: it could not be evaluated. */
export interface Violation {
  readonly status: "fail" | "error";
  readonly message: string;
  readonly details?: Value;
}

/** An object under review, with all that a template may look at; what costs something is made when it is asked for. */
export interface Judged {
  readonly target: Review;
  /** `input.review` */
  readonly review: () => Value;
  readonly inventory: () => RegoObject;
  /** Asks a provider of external data. @throws NeedsFacts */
  readonly external: (request: Value) => Value;
  /** What CEL expressions see, but for `params`. */
  readonly inputs: () => Activation;
  readonly host: Host;
  readonly facts: Facts;
}

/** Judges by the parameters of one constraint. @throws NeedsFacts */
export type Judgement = (judged: Judged) => readonly Violation[];

/** The compiled code of a template. */
export interface Engine {
  readonly needsInventory: boolean;
  /** @param whole the constraint, with the defaults of its template */
  constraint(parameters: JsonValue | undefined, whole: JsonObject): Judgement;
}
