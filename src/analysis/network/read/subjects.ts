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
    return match === undefined ? undefined : podSelector(namespaceScope(match), everyLabel);
  }
  if (pods === undefined || !reader.onlyKnown(pods, ["namespaceSelector", "podSelector"])) return undefined;
  const [namespaceMatch, podMatch] = ["namespaceSelector", "podSelector"].map((key) => {
    const selector = reader.object(reader.at(pods, key));
    if (selector !== undefined) return readLabelSelector(reader, selector);
    reader.problem(pods.path, `${key} is missing`);
    return undefined;
  });
  if (namespaceMatch === undefined || podMatch === undefined) return undefined;
  return podSelector(namespaceScope(namespaceMatch), podMatch);
}
