import { loadDefaultRbacObjects, loadKubernetesSchemas, loadWorkloadCatalogue } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { Identities, readIdentities } from "../analysis/rbac/identities.ts";
import { type RbacWorld, rbacWorld, readDefaultRbac } from "../analysis/rbac/world.ts";
import type { ApiResource, ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { isKubernetesObject } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { type CommandContext, nothingFound, UsageError } from "./command.ts";
import { liveObjects } from "./live-objects.ts";

/** Options that every command of `rbac` takes. */
export interface RbacFlags {
  readonly file?: readonly string[];
  readonly cluster?: boolean;
  readonly context?: string;
  readonly identities?: string;
  readonly namespace?: string;
  readonly output: "table" | "json" | "yaml";
}

export interface RbacInput {
  readonly world: RbacWorld;
  readonly identities: Identities;
  readonly resources: ApiResources;
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly string[];
}

/** Rights alone need no more than these of a live cluster; escalation goes through workloads, too. */
const rightsOnly = (resource: ApiResource) =>
  resource.group === "rbac.authorization.k8s.io" ||
  (resource.group === "" && ["serviceaccounts", "namespaces"].includes(resource.resource));

/** Loads files or the live cluster. `reach`: `rights` for roles and bindings, `everything` for what runs, too. */
export async function loadRbac(flags: RbacFlags, reach: "rights" | "everything", context: CommandContext): Promise<RbacInput> {
  const paths = flags.file ?? [];
  if (paths.length === 0 && flags.cluster !== true)
    throw new UsageError("name manifests: paths, - for standard input, or --cluster");
  const identities = flags.identities === undefined ? undefined : await loadPaths([flags.identities]);
  const known = identities === undefined ? undefined : readIdentities(identities.documents);
  const files = await loadPaths(paths);
  const cluster =
    flags.cluster === true
      ? await liveObjects(flags.context, context.io, reach === "rights" ? rightsOnly : undefined)
      : undefined;
  const documents = [...files.documents, ...(cluster?.documents ?? [])];
  const diagnostics = [
    ...(identities?.diagnostics ?? []),
    ...(known?.diagnostics ?? []),
    ...files.diagnostics,
    ...(cluster?.diagnostics ?? []),
  ];
  // Of files none of which could be read "nobody may" would be an answer.
  if (documents.length === 0) throw nothingFound(diagnostics, `no object is in ${paths.join(", ")}`);
  const world = rbacWorld({
    documents,
    namespace: "default",
    complete: cluster?.complete === true && paths.length === 0,
    defaults: readDefaultRbac(loadDefaultRbacObjects()),
    catalogue: loadWorkloadCatalogue(),
  });
  const schemas = loadKubernetesSchemas();
  const objects = documents.map((d) => d.value).filter(isKubernetesObject);
  return {
    world,
    identities: known?.ok === true ? known.value : new Identities(),
    resources: cluster?.resources ?? schemas.withCustomResources(objects).resources(),
    documents,
    diagnostics: [...diagnostics, ...world.diagnostics],
    sources: [...paths, ...(flags.cluster === true ? ["cluster"] : [])],
  };
}
