import type { Action } from "../../core/action.ts";
import { isObject, type JsonValue, member } from "../../core/json.ts";
import { type KubernetesObject, labelsOf, nameOf } from "../../core/kubernetes.ts";
import { type AdmissionAnswer, allowed } from "./answer.ts";
import type { PodSecurityConfiguration } from "./configuration.ts";
import { errorText, labelPrefix, type NamespacePolicy, policyOfNamespace } from "./namespace-labels.ts";
import { podOf, withDefaults } from "./pod.ts";
import { evaluatePod } from "./registry.ts";
import { compareLevels, type LevelVersion, levelVersionText } from "./versions.ts";

/** The API server looks at this many pods of a namespace whose level is raised. */
const maxPods = 3000;

/** What the plugin answers when a Namespace is created or changed: bad labels are refused, pods that break a new level warned about. */
export function admitNamespace(
  action: Action,
  namespace: KubernetesObject,
  { defaults, exemptions }: PodSecurityConfiguration,
  existingPods: readonly KubernetesObject[],
): AdmissionAnswer {
  const labels = labelsOf(namespace);
  const { policy, errors } = policyOfNamespace(labels, defaults);
  const old = action.operation === "UPDATE" && action.oldObject !== undefined ? labelsOf(action.oldObject) : undefined;
  const before = old === undefined ? undefined : policyOfNamespace(old, defaults);
  if (errors.length > 0 && errorText(before?.errors ?? []) !== errorText(errors)) {
    return { ...allowed, allowed: false, message: errorText(errors) };
  }
  if (before !== undefined && !isTightened(policy.enforce, before.policy.enforce)) return allowed;
  const name = nameOf(namespace);
  if (exemptions.namespaces.includes(name)) return { ...allowed, warnings: exemptWarnings(name, policy, defaults, labels) };
  if (before === undefined) return allowed;
  const judged = existingPods.filter((pod) => !exemptions.runtimeClasses.includes(podOf(pod).runtimeClassName));
  return { ...allowed, warnings: existingWarnings(name, policy.enforce, judged) };
}

function isTightened(now: LevelVersion, before: LevelVersion): boolean {
  if (now.level === "privileged") return false;
  return now.version !== before.version || compareLevels(now.level, before.level) > 0;
}

function exemptWarnings(
  name: string,
  policy: NamespacePolicy,
  defaults: NamespacePolicy,
  labels: { readonly [key: string]: string },
): readonly string[] {
  const modes = ["enforce", "audit", "warn"] as const;
  const same = (a: LevelVersion, b: LevelVersion): boolean =>
    a.level === b.level && (a.level === "privileged" || a.version === b.version);
  if (modes.every((m) => policy[m].level === "privileged") || modes.every((m) => same(policy[m], defaults[m]))) return [];
  const stated = modes
    .filter((m) => policy[m].level !== "privileged")
    .filter((m) => Object.hasOwn(labels, labelPrefix + m) || Object.hasOwn(labels, `${labelPrefix}${m}-version`))
    .map((m) => `${m}=${levelVersionText(policy[m])}`);
  return [`namespace "${name}" is exempt from Pod Security, and the policy (${stated.join(", ")}) will be ignored`];
}

/** One warning for each set of reasons, with the pods that it is true of; one pod of each controller comes first. */
function existingWarnings(namespace: string, enforce: LevelVersion, pods: readonly KubernetesObject[]): readonly string[] {
  const prioritised = firstOfEachController(pods);
  const judged = prioritised.slice(0, maxPods);
  const podsByReason = new Map<string, string[]>();
  for (const pod of judged) {
    const failures = evaluatePod(enforce, withDefaults(podOf(pod), true));
    if (failures.length === 0) continue;
    const reason = failures.map(({ check, violations }) => check.reason(violations)).join(", ");
    podsByReason.set(reason, [...(podsByReason.get(reason) ?? []), nameOf(pod)]);
  }
  const level = levelVersionText(enforce);
  return [
    ...(judged.length < prioritised.length
      ? [`new PodSecurity enforce level only checked against the first ${judged.length} of ${prioritised.length} existing pods`]
      : []),
    ...(podsByReason.size > 0
      ? [`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${level}"`]
      : []),
    ...[...podsByReason].map(([reason, names]) => `${podsText(names)}: ${reason}`).sort(),
  ];
}

function podsText(names: readonly string[]): string {
  const first = names.toSorted()[0] ?? "";
  if (names.length === 1) return first;
  return `${first} (and ${names.length - 1} other ${names.length === 2 ? "pod" : "pods"})`;
}

function firstOfEachController(pods: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const seen = new Set<JsonValue>();
  const later: KubernetesObject[] = [];
  const first = pods.filter((pod) => {
    const uid = controllerOf(pod);
    if (uid === undefined) return true;
    if (seen.has(uid)) {
      later.push(pod);
      return false;
    }
    seen.add(uid);
    return true;
  });
  return [...first, ...later];
}

function controllerOf(pod: KubernetesObject): JsonValue | undefined {
  const owners = member(pod.metadata, "ownerReferences");
  const controller = Array.isArray(owners) ? owners.find((o) => isObject(o) && o["controller"] === true) : undefined;
  return member(controller, "uid");
}
