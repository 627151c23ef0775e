import type { Facts } from "../../core/facts.ts";
import type { Host } from "../../core/host.ts";
import { once } from "../../core/once.ts";
import { fromJson, RegoObject, type Value } from "../../languages/rego/values/value.ts";
import { lazily } from "../cel/inputs.ts";
import type { Judged } from "./engine.ts";
import type { Review } from "./review.ts";
import { reviewValue } from "./review-value.ts";

/** `input.review` */
function reviewOf({ request, namespace }: Review): Value {
  const { object = null, oldObject = null } = request;
  const members = Object.entries(request).filter(([name]) => name !== "object" && name !== "oldObject");
  return RegoObject.of([
    ...members.map(([name, value]) => [name, fromJson(value ?? null)] as const),
    ["object", reviewValue(object)],
    ["oldObject", reviewValue(oldObject)],
    ["namespaceObject", namespace?.object === undefined ? RegoObject.empty : reviewValue(namespace.object)],
  ]);
}

export interface Surroundings {
  readonly facts: Facts;
  readonly host: Host;
  readonly inventory: () => RegoObject;
  readonly external: (request: Value) => Value;
}

/** The object under review with what templates may look at. */
export function judgedOf(target: Review, { facts, host, inventory, external }: Surroundings): Judged {
  const { request, operation, object, oldObject } = target;
  return {
    target,
    review: once(() => reviewOf(target)),
    inventory,
    external,
    inputs: once(() => {
      const { object: _, oldObject: __, namespaceObject: ___, ...rest } = request;
      return lazily({
        object: () => (operation === "DELETE" ? null : (object ?? null)),
        oldObject: () => oldObject ?? null,
        request: () => rest,
        namespaceObject: () => target.namespace?.object ?? null,
      });
    }),
    host,
    facts,
  };
}
