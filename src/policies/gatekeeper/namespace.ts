import { isObject } from "../../core/json.ts";
import { labelsOf, namespaceOf } from "../../core/kubernetes.ts";
import type { RuleContext } from "../policy.ts";
import type { ReviewNamespace } from "./review.ts";

/** The namespace of the object under review, as far as it is known. */
export function namespaceFor({ action, object, oldObject, facts }: RuleContext): ReviewNamespace | undefined {
  const subject = object ?? oldObject;
  const name = action.target.namespace || (subject === undefined ? "" : namespaceOf(subject));
  if (name === "" || (action.target.kind === "Namespace" && action.target.group === "")) return undefined;
  const fact = facts.get({ kind: "namespace", name });
  if (fact?.ok === true && isObject(fact.value)) {
    return { name, labels: labelsOf({ ...fact.value, apiVersion: "v1", kind: "Namespace" }), object: fact.value };
  }
  if (action.namespaceLabels !== undefined) return { name, labels: action.namespaceLabels };
  // A cluster always has it.
  return name === "default" ? { name, labels: {} } : undefined;
}
