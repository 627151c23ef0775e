import { homedir } from "node:os";
import { type ApiResource, type ApiResources, apiResources } from "../../core/api-resources.ts";
import { type Diagnostic, type Loaded, loaded } from "../../core/diagnostic.ts";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { ApiError, connect, type KubernetesClient } from "./client.ts";
import { discover } from "./discovery.ts";
import { clusterAccess } from "./kubeconfig.ts";
import { listObjects, listPath } from "./list.ts";

export interface ClusterOptions {
  /** Of the kubeconfig; the current one unless told otherwise. */
  readonly context?: string | undefined;
  /** A kubeconfig file, instead of the usual places. */
  readonly kubeconfig?: string | undefined;
  /** Only these namespaces and what is in them; everything unless told otherwise. */
  readonly namespaces?: readonly string[] | undefined;
  /** Which of the resources that the server serves to load; all that tell something unless told otherwise. */
  readonly resources?: ((resource: ApiResource) => boolean) | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface LoadedCluster {
  readonly context: string;
  /** Live objects; `file` is `cluster:<context>`, and they have no positions. */
  readonly documents: readonly SourceDocument<KubernetesObject>[];
  /** What the server serves. */
  readonly resources: ApiResources;
  /** What could not be seen, and why. */
  readonly diagnostics: readonly Diagnostic[];
}

const concurrentLists = 4;

/** Traffic rather than state: numerous, short-lived, and judged by no policy. */
const transient = new Set([
  "/events",
  "events.k8s.io/events",
  "/componentstatuses",
  "coordination.k8s.io/leases",
  "metrics.k8s.io/pods",
  "metrics.k8s.io/nodes",
]);

/** Whether a resource is loaded when nobody says which. */
export function isLoadedByDefault(resource: ApiResource): boolean {
  return !transient.has(`${resource.group}/${resource.resource}`);
}

/** Loads the objects of a live cluster. What may not or cannot be read is a diagnostic, and the rest is still loaded. */
export async function loadCluster(options: ClusterOptions = {}): Promise<Loaded<LoadedCluster>> {
  const { context, kubeconfig } = options;
  const access = clusterAccess({ context, kubeconfig, env: process.env, home: homedir() });
  if (!access.ok) return access;
  const client = await connect(access.value);
  if (!client.ok) return client;
  try {
    return loaded(await loadWith(client.value, options));
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, diagnostics: [failure(error, access.value.server)] };
    throw error;
  } finally {
    await client.value.close();
  }
}

async function loadWith(client: KubernetesClient, options: ClusterOptions): Promise<LoadedCluster> {
  const discovery = await discover(client);
  const wanted = preferred(discovery.resources)
    .filter((resource) => resource.verbs.includes("list"))
    .filter(options.resources ?? isLoadedByDefault);
  const lists = wanted.flatMap((resource) => requests(resource, options.namespaces));
  const results = await inParallel(lists, concurrentLists, (request) => attempt(client, request), options.onProgress);
  const file = `cluster:${client.context}`;
  const documents = results
    .flatMap((result) => result.objects)
    .map((value, index) => ({ file, index, value, locate: () => undefined, locateKey: () => undefined }));
  return {
    context: client.context,
    documents,
    resources: apiResources(discovery.resources),
    diagnostics: [...discovery.diagnostics, ...unseen(results)],
  };
}

/** Of resources that are served in several versions or groups, one: the objects are the same. */
function preferred(resources: readonly ApiResource[]): readonly ApiResource[] {
  const seen = new Set<string>();
  return resources.filter((resource) => {
    const key = `${resource.group}/${resource.resource}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** One request for objects: all of a resource, those in a namespace, or one by name. */
interface ObjectsRequest {
  readonly resource: ApiResource;
  readonly namespace?: string;
  readonly name?: string;
}

/** Of cluster-scoped objects, the namespaces themselves belong to a namespace's: selectors ask for their labels. */
function requests(resource: ApiResource, namespaces: readonly string[] | undefined): readonly ObjectsRequest[] {
  if (namespaces === undefined) return [{ resource }];
  if (resource.namespaced) return namespaces.map((namespace) => ({ resource, namespace }));
  return resource.group === "" && resource.resource === "namespaces" ? namespaces.map((name) => ({ resource, name })) : [];
}

interface ObjectsResult {
  readonly request: ObjectsRequest;
  readonly objects: readonly KubernetesObject[];
  readonly error?: ApiError;
}

async function attempt(client: KubernetesClient, request: ObjectsRequest): Promise<ObjectsResult> {
  const { resource, namespace, name } = request;
  try {
    if (name === undefined) return { request, objects: await listObjects(client, resource, namespace) };
    const object = await client.get(`${listPath(resource)}/${encodeURIComponent(name)}`);
    return { request, objects: isKubernetesObject(object) ? [object] : [] };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { request, objects: [], error };
  }
}

/** Results in the order of the items, with so many under way at once. */
async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<R>,
  onProgress: ClusterOptions["onProgress"],
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at];
      if (item !== undefined) results[at] = await run(item);
      onProgress?.(++done, items.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** One diagnostic for each reason and scope, with all the resources that it hides. */
function unseen(results: readonly ObjectsResult[]): readonly Diagnostic[] {
  const groups = new Map<string, { readonly error: ApiError; readonly scope: string; readonly names: string[] }>();
  for (const { request, error } of results) {
    if (error === undefined) continue;
    const { resource, namespace, name } = request;
    const scope = namespace === undefined ? "in the whole cluster" : `in namespace ${namespace}`;
    const key = `${scope}|${error.status === 403 ? "" : error.message}`;
    const group = groups.get(key) ?? { error, scope, names: [] };
    const type = resource.group === "" ? resource.resource : `${resource.resource}.${resource.group}`;
    group.names.push(name === undefined ? type : `${type}/${name}`);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ error, scope, names }) => {
    const forbidden = error.status === 403;
    const why = forbidden ? "the user may not read them" : error.message;
    const what = `${names.length} ${names.length === 1 ? "kind of object was" : "kinds of objects were"} not seen ${scope}`;
    return {
      code: forbidden ? "CLUSTER_FORBIDDEN" : "CLUSTER_PARTIAL",
      severity: "error",
      message: `${what}, since ${why}: ${names.join(", ")}`,
    };
  });
}

function failure(error: ApiError, server: string): Diagnostic {
  switch (error.status) {
    case 0:
      return { code: "CLUSTER_UNREACHABLE", severity: "error", message: `${server} cannot be reached: ${error.message}` };
    case 401:
      return {
        code: "CREDENTIALS_MISSING",
        severity: "error",
        message: `${server} does not accept the credentials: ${error.message}`,
      };
    default:
      return { code: "CLUSTER_PARTIAL", severity: "error", message: `${server} does not say what it serves: ${error.message}` };
  }
}
