import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { listPath, objectPath } from "../../adapters/kubernetes/list.ts";
import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import { asString, isArray, isObject, type JsonObject, member } from "../../core/json.ts";
import { parseApiVersion } from "../../core/kubernetes.ts";

/** Writes objects of kinds that the API server serves; of others it does nothing, and says so by answering false. */
export class ClusterWriter {
  readonly #client: KubernetesClient;
  readonly #resources: () => ApiResources;

  constructor(client: KubernetesClient, resources: () => ApiResources) {
    this.#client = client;
    this.#resources = resources;
  }

  serves(group: string, kind: string): boolean {
    return this.#resources().byKind(group, kind) !== undefined;
  }

  /** Objects with these labels, in every namespace; none where the kind is not served. Rejects with `ApiError`. */
  async list(group: string, kind: string, labels: string): Promise<readonly JsonObject[]> {
    const resource = this.#resources().byKind(group, kind);
    if (resource === undefined) return [];
    const items = member(await this.#client.get(`${listPath(resource)}?labelSelector=${encodeURIComponent(labels)}`), "items");
    return isArray(items) ? items.filter(isObject).map((item) => ({ ...item, kind })) : [];
  }

  /** Server-side apply, as the one who owns these fields. Rejects with `ApiError`. */
  async apply(object: JsonObject): Promise<boolean> {
    const resource = this.#resourceOf(object);
    if (resource === undefined) return false;
    const text = (key: string) => asString(member(object["metadata"], key)) ?? "";
    await this.#client.send({
      method: "PATCH",
      path: `${objectPath(resource, text("namespace"), text("name"))}?fieldManager=castellan&force=true`,
      body: { ...object, apiVersion: resource.group === "" ? resource.version : `${resource.group}/${resource.version}` },
      contentType: "application/apply-patch+yaml",
    });
    return true;
  }

  /** Rejects with `ApiError`. */
  async create(object: JsonObject): Promise<boolean> {
    const resource = this.#resourceOf(object);
    if (resource === undefined) return false;
    const namespace = asString(member(object["metadata"], "namespace"));
    await this.#client.send({ method: "POST", path: listPath(resource, namespace), body: object });
    return true;
  }

  /** What is not there any more is no failure. Rejects with `ApiError`. */
  async remove(group: string, kind: string, namespace: string, name: string): Promise<void> {
    const resource = this.#resources().byKind(group, kind);
    if (resource === undefined) return;
    try {
      await this.#client.send({ method: "DELETE", path: objectPath(resource, namespace, name) });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }

  #resourceOf(object: JsonObject): ApiResource | undefined {
    const { group } = parseApiVersion(asString(object["apiVersion"]) ?? "");
    return this.#resources().byKind(group, asString(object["kind"]) ?? "");
  }
}
