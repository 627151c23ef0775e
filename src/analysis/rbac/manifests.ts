import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { Binding, Role } from "./objects.ts";
import type { PolicyRule } from "./policy-rule.ts";

const apiVersion = "rbac.authorization.k8s.io/v1";

function ruleManifest({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule) {
  return {
    ...(nonResourceURLs.length > 0 ? { nonResourceURLs } : { apiGroups, resources }),
    ...(resourceNames.length > 0 ? { resourceNames } : {}),
    verbs,
  };
}

/** The object to apply. */
export function roleManifest(role: Role): KubernetesObject {
  return {
    apiVersion,
    kind: role.kind,
    metadata: metadata(role),
    rules: role.rules.map(ruleManifest),
  };
}

export function bindingManifest(binding: Binding): KubernetesObject {
  return {
    apiVersion,
    kind: binding.kind,
    metadata: metadata(binding),
    roleRef: { ...binding.roleRef },
    subjects: binding.subjects.map(({ kind, apiGroup, name, namespace }) => ({
      kind,
      ...(apiGroup === "" ? {} : { apiGroup }),
      name,
      ...(namespace === "" ? {} : { namespace }),
    })),
  };
}

function metadata({ name, namespace }: Pick<Role | Binding, "name" | "namespace">) {
  return { name, ...(namespace === "" ? {} : { namespace }) };
}
