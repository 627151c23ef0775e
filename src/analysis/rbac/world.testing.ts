import { isKubernetesObject } from "../../core/kubernetes.ts";
import { parseWorkloadCatalogue } from "../../core/workload/parse-catalogue.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { type DefaultRbac, type RbacWorld, rbacWorld, readDefaultRbac } from "./world.ts";

const parsed = parseWorkloadCatalogue({ workloads: [{ kinds: ["Pod"], pods: [{ spec: "spec" }] }] });
if (!parsed.ok) throw new Error(parsed.diagnostics[0]?.message);
const catalogue = parsed.value;

const noDefaults: DefaultRbac = { roles: [], bindings: [], gated: [] };

/** The default roles that tests need, in the words of Kubernetes. */
export function defaultsFrom(yaml: string): DefaultRbac {
  const objects = parseDocuments(yaml, "defaults.yaml").documents.flatMap(({ value }) =>
    isKubernetesObject(value) ? [value] : [],
  );
  return readDefaultRbac({ objects, gated: [] });
}

/** The world of some manifests. */
export function worldOf(yaml: string, options: { readonly complete?: boolean; readonly defaults?: DefaultRbac } = {}): RbacWorld {
  const { documents, diagnostics } = parseDocuments(yaml, "test.yaml");
  const [problem] = diagnostics;
  if (problem !== undefined) throw new Error(problem.message);
  return rbacWorld({
    documents,
    namespace: "default",
    complete: options.complete === true,
    defaults: options.defaults ?? noDefaults,
    catalogue,
  });
}

export interface RuleText {
  readonly verbs: string;
  /** `group/resource`; the core group empty. */
  readonly on: string;
  readonly names?: string;
}

/** A ClusterRole or, with a namespace, a Role, and a binding of it to the subjects. */
export function bound(name: string, rules: readonly RuleText[], subjects: readonly string[], namespace = ""): string {
  const [role, binding] = namespace === "" ? ["ClusterRole", "ClusterRoleBinding"] : ["Role", "RoleBinding"];
  const metadata = JSON.stringify({ name, ...(namespace === "" ? {} : { namespace }) });
  const list = rules.map(({ verbs, on, names }) => {
    const parts = on.split(",").map((text) => [text.slice(0, text.indexOf("/")), text.slice(text.indexOf("/") + 1)] as const);
    return {
      verbs: verbs.split(","),
      apiGroups: [...new Set(parts.map(([group]) => group))],
      resources: parts.map(([, resource]) => resource),
      ...(names === undefined ? {} : { resourceNames: names.split(",") }),
    };
  });
  const who = subjects.map((text) => {
    const [kind = "", rest = ""] = text.split("=");
    const [ns = "", account = ""] = rest.split("/");
    return kind === "ServiceAccount"
      ? { kind, namespace: ns, name: account }
      : { kind, name: rest, apiGroup: "rbac.authorization.k8s.io" };
  });
  const api = "apiVersion: rbac.authorization.k8s.io/v1";
  const ref = JSON.stringify({ apiGroup: "rbac.authorization.k8s.io", kind: role, name });
  return `---
${api}
kind: ${role}
metadata: ${metadata}
rules: ${JSON.stringify(list)}
---
${api}
kind: ${binding}
metadata: ${metadata}
roleRef: ${ref}
subjects: ${JSON.stringify(who)}
`;
}
