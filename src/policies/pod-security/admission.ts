import type { Action } from "../../core/action.ts";
import { isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { type AdmissionAnswer, allowed } from "./answer.ts";
import type { Exemptions, PodSecurityConfiguration } from "./configuration.ts";
import { admitNamespace } from "./namespace-admission.ts";
import { errorText, type NamespacePolicy, policyOfNamespace } from "./namespace-labels.ts";
import { type Pod, podOf, withDefaults } from "./pod.ts";
import { evaluatePod, failureText } from "./registry.ts";
import { isSignificantUpdate } from "./significant-update.ts";
import { type LevelVersion, levelVersionText } from "./versions.ts";

/** Where a pod is in the objects that the plugin judges; enforced only for pods themselves. */
const templatePaths: ReadonlyMap<string, readonly string[]> = new Map([
  ["/ReplicationController", ["spec", "template"]],
  ["/PodTemplate", ["template"]],
  ["apps/ReplicaSet", ["spec", "template"]],
  ["apps/Deployment", ["spec", "template"]],
  ["apps/StatefulSet", ["spec", "template"]],
  ["apps/DaemonSet", ["spec", "template"]],
  ["batch/Job", ["spec", "template"]],
  ["batch/CronJob", ["spec", "jobTemplate", "spec", "template"]],
]);

/** Subresources of pods that cannot change what Pod Security looks at. */
const ignoredSubresources: ReadonlySet<string> = new Set([
  ...["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"],
]);

/**
 * What the API server's PodSecurity plugin answers to a create or update. `namespaceLabels` of the action are the labels
 * of the target's namespace; `existingPods`, the pods in a namespace whose labels change, are warned about.
 */
export function admit(
  action: Action,
  configuration: PodSecurityConfiguration,
  existingPods: readonly KubernetesObject[] = [],
): AdmissionAnswer {
  const { group, kind, subresource } = action.target;
  if (action.object === undefined || (action.operation !== "CREATE" && action.operation !== "UPDATE")) return allowed;
  const key = `${group}/${kind}`;
  if (key === "/Namespace")
    return subresource === "" ? admitNamespace(action, action.object, configuration, existingPods) : allowed;
  if (key === "/Pod") return ignoredSubresources.has(subresource) ? allowed : admitPod(action, action.object, configuration);
  const path = templatePaths.get(key);
  if (path === undefined || subresource !== "") return allowed;
  const template = path.reduce<JsonValue | undefined>(member, action.object);
  return isObject(template) ? judge(action, template, configuration, false) : allowed;
}

function admitPod(action: Action, object: KubernetesObject, configuration: PodSecurityConfiguration): AdmissionAnswer {
  const insignificant =
    action.operation === "UPDATE" &&
    action.oldObject !== undefined &&
    !isSignificantUpdate(podOf(object), podOf(action.oldObject));
  return insignificant ? allowed : judge(action, object, configuration, true);
}

function judge(action: Action, template: JsonObject, configuration: PodSecurityConfiguration, isPod: boolean): AdmissionAnswer {
  const byRequest = requestExemption(action, configuration.exemptions);
  if (byRequest !== undefined) return { ...allowed, auditAnnotations: { exempt: byRequest } };
  const { policy, errors } = policyOfNamespace(action.namespaceLabels ?? {}, configuration.defaults);
  if (errors.length === 0 && demandsNothing(policy, isPod)) {
    return isPod ? { ...allowed, auditAnnotations: { "enforce-policy": "privileged:latest" } } : allowed;
  }
  const pod = withDefaults(podOf(template), isPod);
  if (isExemptRuntime(pod, configuration.exemptions)) return { ...allowed, auditAnnotations: { exempt: "runtimeClass" } };
  const annotations: { [key: string]: string } = {};
  if (errors.length > 0) annotations["error"] = `Failed to parse policy: ${errorText(errors)}`;
  if (isPod) annotations["enforce-policy"] = levelVersionText(policy.enforce);
  const denied = isPod ? violationText(policy.enforce, pod) : undefined;
  const audited = violationText(policy.audit, pod);
  if (audited !== undefined) {
    annotations["audit-violations"] = `would violate PodSecurity "${levelVersionText(policy.audit)}": ${audited}`;
  }
  if (denied !== undefined) {
    const message = `violates PodSecurity "${levelVersionText(policy.enforce)}": ${denied}`;
    return { allowed: false, message, warnings: [], auditAnnotations: annotations };
  }
  const warned = violationText(policy.warn, pod);
  const warnings = warned === undefined ? [] : [`would violate PodSecurity "${levelVersionText(policy.warn)}": ${warned}`];
  return { allowed: true, message: undefined, warnings, auditAnnotations: annotations };
}

function demandsNothing(policy: NamespacePolicy, isPod: boolean): boolean {
  return [policy.warn, policy.audit, ...(isPod ? [policy.enforce] : [])].every(({ level }) => level === "privileged");
}

/** Which exemption of the request holds. */
export function requestExemption(action: Action, exemptions: Exemptions): "namespace" | "user" | undefined {
  const { namespace } = action.target;
  if (namespace !== "" && exemptions.namespaces.includes(namespace)) return "namespace";
  return action.actor !== undefined && action.actor.user !== "" && exemptions.usernames.includes(action.actor.user)
    ? "user"
    : undefined;
}

export function isExemptRuntime(pod: Pod, exemptions: Exemptions): boolean {
  return pod.runtimeClassName !== "" && exemptions.runtimeClasses.includes(pod.runtimeClassName);
}

function violationText(levelVersion: LevelVersion, pod: Pod): string | undefined {
  const failures = evaluatePod(levelVersion, pod);
  return failures.length === 0 ? undefined : failures.map(failureText).join(", ");
}
