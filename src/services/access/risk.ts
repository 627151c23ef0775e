import type { AccessRequest } from "../../access/request.ts";
import { type CapabilityId, capabilityIds, capabilityOf } from "../../analysis/rbac/capabilities.ts";
import { proofOf } from "../../analysis/rbac/capability-proof.ts";
import { Identities } from "../../analysis/rbac/identities.ts";
import { escalationPaths } from "../../analysis/rbac/paths/paths.ts";
import { emptyRule, type PolicyRule } from "../../analysis/rbac/policy-rule.ts";
import { type RbacWorld, rbacWorld, type WorldInput } from "../../analysis/rbac/world.ts";
import { type Severity, severities } from "../../core/finding.ts";
import type { JsonObject } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";

/** What rights would lead to. */
export interface AccessRisk {
  /** 0 (nothing) to 100 (the cluster). */
  readonly score: number;
  /** Worst first. */
  readonly reasons: readonly string[];
}

/** Rights that somebody asks for, and where. */
export interface AskedRights {
  readonly rules: readonly PolicyRule[];
  /** Empty: in the whole cluster. */
  readonly namespace: string;
}

/** A role that a session would give. */
export interface RoleReference {
  readonly kind: "Role" | "ClusterRole";
  readonly name: string;
}

/** What is asked for as rules of RBAC; undefined where that is not known: a role that does not exist. An exception gives none. */
export function askedRights(
  request: Pick<AccessRequest, "ask">,
  role: RoleReference | undefined,
  world: RbacWorld,
): AskedRights | undefined {
  const { ask } = request;
  switch (ask.type) {
    case "exception":
      return { rules: [], namespace: ask.object.namespace };
    case "session": {
      if (role === undefined) return undefined;
      const found = world.index.resolve({ apiGroup: "rbac.authorization.k8s.io", ...role }, ask.namespace);
      return "error" in found ? undefined : { rules: found.rules, namespace: ask.namespace };
    }
    case "action": {
      const { action } = ask;
      const { verb, apiGroup, resource, subresource, name, namespace } = action;
      if (!action.isResourceRequest)
        return { rules: [{ ...emptyRule, verbs: [verb], nonResourceURLs: [action.path] }], namespace: "" };
      const resources = [subresource === "" ? resource : `${resource}/${subresource}`];
      // Who is let create with a generated name is let create by any.
      const resourceNames = name === "" || verb === "create" ? [] : [name];
      return { rules: [{ ...emptyRule, verbs: [verb], apiGroups: [apiGroup], resources, resourceNames }], namespace };
    }
  }
}

const points: { readonly [severity in Severity]: number } = { critical: 95, high: 75, medium: 50, low: 25, info: 5 };
/** Of what a request could end in: where it leads, and how bad that is. */
const ends = [
  { to: { kind: "cluster-admin" }, says: "the whole cluster", score: 100 },
  { to: { kind: "node" }, says: "a node with all that runs on it", score: 90 },
  { to: { kind: "secrets" }, says: "all secrets of the cluster", score: 90 },
] as const;
const asker = "castellan:asked-rights";

/**
 * What the rights would lead to if somebody had nothing but them: dangerous rights by themselves, and ways on from there
 * through what runs in the cluster. An upper bound for a single action, which is one call.
 */
export function riskOf(input: WorldInput, { rules, namespace }: AskedRights): AccessRisk {
  if (rules.length === 0) return { score: 0, reasons: [] };
  const found: { readonly score: number; readonly reason: string }[] = [];
  for (const id of capabilityIds) {
    const severity = heldSeverity(id, rules, namespace);
    if (severity !== undefined) found.push({ score: points[severity], reason: `${severity}: ${capabilityOf(id).title}` });
  }
  const world = rbacWorld({ ...input, documents: [...input.documents, ...grantDocuments(rules, namespace)] });
  for (const { to, says, score } of ends) {
    const { paths, already } = escalationPaths(world, new Identities(), { from: { kind: "account", user: asker }, to });
    const [path] = paths;
    if (already.length > 0) found.push({ score, reason: `It is ${says}.` });
    else if (path !== undefined)
      found.push({
        score: score - 5 * (path.hops.length - 1),
        reason: `It leads to ${says}: ${path.hops.map((h) => h.says).join("; then ")}`,
      });
  }
  found.sort((a, b) => b.score - a.score);
  return { score: Math.max(0, found[0]?.score ?? 0), reasons: [...new Set(found.map(({ reason }) => reason))].slice(0, 8) };
}

function heldSeverity(id: CapabilityId, rules: readonly PolicyRule[], namespace: string): Severity | undefined {
  const { clusterWide, namespaced } = capabilityOf(id);
  const severity = namespace === "" ? clusterWide : namespaced;
  // With names it is less than it could be, and still what it is.
  const unnamed = rules.map((rule) => ({ ...rule, resourceNames: [] }));
  if (severity === undefined || proofOf(unnamed, id, namespace === "") === undefined) return undefined;
  if (proofOf(rules, id, namespace === "") !== undefined) return severity;
  return severities[Math.max(0, severities.indexOf(severity) - 1)];
}

function grantDocuments(rules: readonly PolicyRule[], namespace: string): readonly SourceDocument<KubernetesObject>[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const scope = namespace === "" ? "Cluster" : "";
  const metadata = { name: asker, ...(namespace === "" ? {} : { namespace }) };
  const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: asker }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: `${scope}Role`, name: asker };
  return [
    { apiVersion, kind: `${scope}Role`, metadata, rules: rules.map((rule): JsonObject => ({ ...rule })) },
    { apiVersion, kind: `${scope}RoleBinding`, metadata, subjects, roleRef },
  ].map((value) => ({ file: "", index: 0, value, locate: () => undefined, locateKey: () => undefined }));
}
