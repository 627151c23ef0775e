import type { ApiResources } from "../../../core/api-resources.ts";
import { nearestName } from "../../../core/nearest-name.ts";
import type { LintContext } from "../object-check.ts";
import { isHugePages, isNative, isQualifiedName, looksLikeGpu, usualGpu } from "./names.ts";

/** Keys without a domain that the quota system counts. */
const standardKeys: ReadonlySet<string> = new Set([
  "cpu",
  "memory",
  "ephemeral-storage",
  "requests.cpu",
  "requests.memory",
  "requests.storage",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  "pods",
  "services",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);

const integerKeys = new Set([...standardKeys].filter((key) => !/cpu|memory|storage/.test(key)));

export function isStandardKey(key: string): boolean {
  return standardKeys.has(key) || isHugePages(key) || isHugePages(key.replace(/^requests\./, ""));
}

/** Whether the API server demands a whole number; of `requests.<device>` it does not, though devices are whole. */
export function countsWholeThings(key: string): boolean {
  return integerKeys.has(key);
}

/** What the objects are that a key counts; undefined for keys that nothing is counted against. */
type Counted = "pods" | "claims" | "devices" | "services" | "objects";

/**
 * What becomes of a key of `spec.hard`: `rejected` by validation, stored and `uncounted`, or `counted`.
 * Source: pkg/apis/core/validation and pkg/quota/v1/evaluator of Kubernetes 1.36.
 */
export type KeyVerdict =
  | { readonly kind: "rejected" | "uncounted"; readonly meant: string | undefined }
  | { readonly kind: "counted"; readonly what: Counted };

export function judgeKey(key: string, context: LintContext): KeyVerdict {
  if (!isQualifiedName(key)) return { kind: "rejected", meant: meantKey(key, context) };
  if (!key.includes("/")) {
    return isStandardKey(key)
      ? { kind: "counted", what: standardCounted(key) }
      : { kind: "rejected", meant: meantKey(key, context) };
  }
  const what = countedByDomain(key, context);
  return what === undefined ? { kind: "uncounted", meant: meantKey(key, context) } : { kind: "counted", what };
}

function standardCounted(key: string): Counted {
  if (key === "persistentvolumeclaims" || key === "requests.storage") return "claims";
  if (key.startsWith("services")) return "services";
  return integerKeys.has(key) && key !== "pods" ? "objects" : "pods";
}

function countedByDomain(key: string, context: LintContext): Counted | undefined {
  if (key.startsWith("count/")) return countedObjects(key.slice("count/".length), context);
  if (/^.+\.storageclass\.storage\.k8s\.io\/(?:requests\.storage|persistentvolumeclaims)$/.test(key)) return "claims";
  if (/^.+\.deviceclass\.resource\.k8s\.io\/devices$/.test(key)) return "devices";
  if (key.startsWith("requests.deviceclass.resource.kubernetes.io/")) return "pods";
  return key.startsWith("requests.") && !isNative(key) ? "pods" : undefined;
}

/** `deployments.apps`: a plural name and its group. */
function countedObjects(name: string, { resources, knowsGroup }: LintContext): Counted | undefined {
  const { resource, group } = splitGroup(name);
  if (resource === "pods" && group === "") return "pods";
  if (knowsGroup(group) && resources.byResource(group, resource) === undefined) return undefined;
  return "objects";
}

function splitGroup(name: string): { readonly resource: string; readonly group: string } {
  const dot = name.indexOf(".");
  return dot < 0 ? { resource: name, group: "" } : { resource: name.slice(0, dot), group: name.slice(dot + 1) };
}

function meantKey(key: string, { resources }: LintContext): string | undefined {
  const bare = key.replace(/^(?:requests|limits|request|limit)\./, "");
  if (bare.includes("/") && !key.startsWith("count/") && !isNative(bare)) return `requests.${bare}`;
  if (looksLikeGpu(bare) && !bare.includes("/")) return `requests.${usualGpu}`;
  if (bare === "storage") return "requests.storage";
  const near = nearestName(key, standardKeys);
  if (near !== undefined) return near;
  return countKey(key.replace(/^count\//, ""), resources);
}

/** `deployments`, `deployments.extensions` or `Deployment` to `count/deployments.apps`. */
function countKey(name: string, resources: ApiResources): string | undefined {
  const { resource } = splitGroup(name);
  const found = resources
    .all()
    .find((r) => r.resource === resource.toLowerCase() || r.kind.toLowerCase() === resource.toLowerCase());
  if (found === undefined) return undefined;
  return found.group === "" ? `count/${found.resource}` : `count/${found.resource}.${found.group}`;
}
