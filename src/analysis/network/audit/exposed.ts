import { componentOf } from "../catalogue/workload-component.ts";
import { entryPoints } from "../entry.ts";
import type { AuditContext } from "./context.ts";
import type { NetworkIssue } from "./issue.ts";

const dataRoles: ReadonlySet<string> = new Set(["vector-db", "vector-db-node", "database", "cache", "object-store", "queue"]);

/** Data stores that a Service, an Ingress or a route opens to the outside. */
export function exposedIssues({ network, components }: AuditContext): readonly NetworkIssue[] {
  const told = new Set<string>();
  return entryPoints(network).flatMap((entry): NetworkIssue[] => {
    const match = componentOf(entry.workload, components);
    if (!entry.isPublic || match === undefined || !dataRoles.has(match.component.role)) return [];
    const key = `${entry.kind} ${entry.ref.namespace}/${entry.ref.name} ${entry.workload.id}`;
    if (told.has(key)) return [];
    told.add(key);
    const isHeld = entry.allowed.isEmpty;
    const held = isHeld ? "; its policies keep the traffic out for now" : "";
    return [
      {
        check: "exposed-data-store",
        rule: entry.kind.toLowerCase(),
        document: entry.document,
        resource: entry.ref,
        path: entry.path,
        status: "fail",
        ...(isHeld ? { severity: "medium" } : {}),
        message: `${entry.kind} opens ${entry.workload.id} to the outside (${entry.connections}): it is ${match.component.title}, by ${match.why}${held}.`,
        evidence: { workload: entry.workload.id, component: match.component.name },
        ...(entry.kind === "LoadBalancer" || entry.kind === "NodePort"
          ? {
              fix: {
                description: "Keep the Service within the cluster.",
                patch: [{ op: "replace", path: "/spec/type", value: "ClusterIP" }],
              },
            }
          : {}),
      },
    ];
  });
}
