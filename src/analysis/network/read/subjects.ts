import type { PodSelector } from "../rule.ts";
import type { ObjectField, Reader } from "./reader.ts";
import { everyLabel, namespaceScope, podSelector, readLabelSelector } from "./selectors.ts";

/**
 * `{namespaces: selector}` or `{pods: {namespaceSelector, podSelector}}`: subjects and peers of admin policies.
 * Exactly one has to be there. Undefined where it is not, which is reported.
 */
export function readNamespacedPods(reader: Reader, parent: ObjectField): PodSelector | undefined {
  const [namespaces, pods] = ["namespaces", "pods"].map((key) => reader.object(reader.at(parent, key)));
  if ((namespaces === undefined) === (pods === undefined)) {
    reader.problem(parent.path, "exactly one of namespaces and pods has to be there");
    return undefined;
  }
  if (namespaces !== undefined) {
    const match = readLabelSelector(reader, namespaces);
    return match === undefined ? undefined : podSelector(namespaceScope(match), everyLabel, match);
  }
  if (pods === undefined || !reader.onlyKnown(pods, ["namespaceSelector", "podSelector"])) return undefined;
  const [namespaceMatch, podMatch] = ["namespaceSelector", "podSelector"].map((key) => {
    const field = reader.at(pods, key);
    if (field === undefined) {
      // The API server refuses it; every program in Go reads it as an empty selector.
      reader.problem(pods.path, `${key} is missing and read as {}, which selects all`, "NETWORK_POLICY_INVALID", "warning");
      return everyLabel;
    }
    const selector = reader.object(field);
    return selector === undefined ? undefined : readLabelSelector(reader, selector);
  });
  if (namespaceMatch === undefined || podMatch === undefined) return undefined;
  return podSelector(namespaceScope(namespaceMatch), podMatch, namespaceMatch);
}
