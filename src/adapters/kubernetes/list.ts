import type { ApiResource } from "../../core/api-resources.ts";
import { asString, isArray, isObject, type JsonValue, member } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { ApiError, type KubernetesClient } from "./client.ts";

const defaultPageSize = 500;

/** Where objects of a resource are listed; without a namespace: everywhere. */
export function listPath(resource: ApiResource, namespace?: string): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${resource.resource}`;
}

/** Where one object is; the namespace counts where the resource has any. */
export function objectPath(resource: ApiResource, namespace: string, name: string): string {
  return `${listPath(resource, resource.namespaced ? namespace : undefined)}/${encodeURIComponent(name)}`;
}

/**
 * All objects of a resource, page by page, as the server sends them. When a list takes so long that its snapshot
 * expires (410), it is read again in one piece. Throws `ApiError`.
 */
export async function listObjects(
  client: KubernetesClient,
  resource: ApiResource,
  namespace?: string,
  pageSize = defaultPageSize,
): Promise<readonly KubernetesObject[]> {
  return (await listWithVersion(client, resource, namespace, pageSize)).objects;
}

/** As `listObjects`, with the version of the collection that a watch goes on from. */
export async function listWithVersion(
  client: KubernetesClient,
  resource: ApiResource,
  namespace?: string,
  pageSize = defaultPageSize,
): Promise<{ readonly objects: readonly KubernetesObject[]; readonly version: string }> {
  const path = listPath(resource, namespace);
  const objects: KubernetesObject[] = [];
  const versionOf = (list: JsonValue) => asString(member(member(list, "metadata"), "resourceVersion")) ?? "";
  let page: JsonValue;
  let next = "";
  do {
    try {
      page = await client.get(`${path}?limit=${pageSize}${next === "" ? "" : `&continue=${encodeURIComponent(next)}`}`);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 410 || next === "") throw error;
      const all = await client.get(path);
      return { objects: itemsOf(all, resource), version: versionOf(all) };
    }
    objects.push(...itemsOf(page, resource));
    next = asString(member(member(page, "metadata"), "continue")) ?? "";
  } while (next !== "");
  return { objects, version: versionOf(page) };
}

/** Lists of built-in kinds leave out what the list itself says. */
function itemsOf(list: JsonValue, resource: ApiResource): KubernetesObject[] {
  const items = member(list, "items");
  const apiVersion = resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
  return (isArray(items) ? items : []).filter(isObject).map((item) => ({ apiVersion, kind: resource.kind, ...item }));
}
