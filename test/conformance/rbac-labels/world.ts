import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadDefaultRbacObjects, loadWorkloadCatalogue } from "../../../src/adapters/files/catalog.ts";
import { type RbacWorld, rbacWorld, readDefaultRbac } from "../../../src/analysis/rbac/world.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { SourceDocument } from "../../../src/core/source.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";

const rbac = "rbac.authorization.k8s.io/v1";

/** What a snapshot calls its lists; kinds that rights do not depend on are left out. */
const kinds: { readonly [list: string]: readonly [apiVersion: string, kind: string] } = {
  namespaces: ["v1", "Namespace"],
  nodes: ["v1", "Node"],
  service_accounts: ["v1", "ServiceAccount"],
  config_maps: ["v1", "ConfigMap"],
  pods: ["v1", "Pod"],
  deployments: ["apps/v1", "Deployment"],
  daemon_sets: ["apps/v1", "DaemonSet"],
  stateful_sets: ["apps/v1", "StatefulSet"],
  jobs: ["batch/v1", "Job"],
  cron_jobs: ["batch/v1", "CronJob"],
  certificate_signing_requests: ["certificates.k8s.io/v1", "CertificateSigningRequest"],
  roles: [rbac, "Role"],
  cluster_roles: [rbac, "ClusterRole"],
  role_bindings: [rbac, "RoleBinding"],
  cluster_role_bindings: [rbac, "ClusterRoleBinding"],
};

interface Snapshot {
  readonly resources: { readonly [list: string]: readonly JsonObject[] };
}

export function snapshotDocuments(text: string): readonly SourceDocument[] {
  const { resources }: Snapshot = JSON.parse(text);
  return Object.entries(kinds).flatMap(([list, [apiVersion, kind]]) =>
    (resources[list] ?? []).map((object) => unplaced({ apiVersion, kind, ...object })),
  );
}

function unplaced(value: JsonObject): SourceDocument {
  return { file: "", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

export function manifestDocuments(text: string): readonly SourceDocument[] {
  return parseDocuments(text, "manifest.yaml").documents;
}

/** Text of the files of a directory by name, in order; a missing directory holds none. */
export async function filesOf(directory: string, extension: string): Promise<readonly (readonly [name: string, text: string])[]> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith(extension)).sort();
  return Promise.all(files.map(async (name) => [name, await readFile(join(directory, name), "utf8")] as const));
}

/** A cluster that holds these objects, what Kubernetes brings, and nothing else. */
export function clusterOf(documents: readonly SourceDocument[]): RbacWorld {
  const catalog = loadDefaultRbacObjects();
  return rbacWorld({
    documents: [...catalog.objects.map(unplaced), ...documents],
    namespace: "default",
    complete: true,
    defaults: readDefaultRbac(catalog),
    catalogue: loadWorkloadCatalogue(),
  });
}
