import type { ComponentCatalogue } from "../analysis/network/catalogue/component.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Finding } from "../core/finding.ts";
import { member } from "../core/json.ts";
import { groupOf, type KubernetesObject } from "../core/kubernetes.ts";
import type { WorkloadCatalogue } from "../core/workload/catalogue.ts";
import type { ObjectDocument } from "./scanned-objects.ts";

export interface NetworkAuditRequest {
  readonly objects: readonly ObjectDocument[];
  readonly namespace: string;
  readonly complete: boolean;
  readonly catalogue: () => WorkloadCatalogue;
  /** Parts of AI platforms; none: no workload is told to be a data store. */
  readonly components: ComponentCatalogue | undefined;
  /** The linter speaks of NetworkPolicies that the API server refuses. */
  readonly isLinted: boolean;
}

const policyGroups: ReadonlySet<string> = new Set([
  "networking.k8s.io",
  "policy.networking.k8s.io",
  "cilium.io",
  "projectcalico.org",
  "crd.projectcalico.org",
  "route.openshift.io",
  "gateway.networking.k8s.io",
]);

/** Every cluster has some; they say which addresses there are, not who may talk to whom. */
const addressKinds: ReadonlySet<string> = new Set(["ServiceCIDR", "IPAddress", "IngressClass"]);

/** Objects that say who may talk to whom, or that open something to the outside. */
function bearsOnNetwork(object: KubernetesObject): boolean {
  const group = groupOf(object);
  if (policyGroups.has(group)) return !addressKinds.has(object.kind);
  const spec = object["spec"];
  const type = member(spec, "type");
  return (
    group === "" &&
    object.kind === "Service" &&
    (type === "LoadBalancer" || type === "NodePort" || member(spec, "externalIPs") !== undefined)
  );
}

const noComponents: ComponentCatalogue = { roles: new Map(), components: [], domains: new Map() };

/** Loaded where there is something to judge. */
export async function auditNetworks(
  request: NetworkAuditRequest,
): Promise<{ readonly findings: readonly Finding[]; readonly diagnostics: readonly Diagnostic[] }> {
  const { objects, namespace, complete, catalogue, components, isLinted } = request;
  if (!objects.some((d) => bearsOnNetwork(d.value))) return { findings: [], diagnostics: [] };
  const [{ auditNetwork }, { buildNetwork }] = await Promise.all([
    import("../analysis/network/audit/audit.ts"),
    import("../analysis/network/build.ts"),
  ]);
  const network = buildNetwork(objects, { catalogue: catalogue(), namespace, complete });
  const refused = new Set(isLinted ? network.diagnosticsOf("NetworkPolicy") : []);
  return {
    findings: auditNetwork(network, components ?? noComponents),
    diagnostics: network.diagnostics.filter((d) => !refused.has(d)),
  };
}
