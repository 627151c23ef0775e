import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, connect, type KubernetesClient } from "../../../src/adapters/kubernetes/client.ts";
import { discover } from "../../../src/adapters/kubernetes/discovery.ts";
import { clusterAccess } from "../../../src/adapters/kubernetes/kubeconfig.ts";
import { listPath } from "../../../src/adapters/kubernetes/list.ts";
import type { ApiResource } from "../../../src/core/api-resources.ts";
import { asString, isArray, isObject, type JsonObject, member } from "../../../src/core/json.ts";
import { parseApiVersion } from "../../../src/core/kubernetes.ts";

export type WriteVerb = "apply" | "create" | "patch" | "update";

const pause = 50;

/** An answer that says nothing about the object: the test cannot go on, whatever it expects. */
export class NotAsked extends Error {}

export const nameOf = (object: JsonObject) => asString(member(object["metadata"], "name"));

/** Objects of a cluster, read and written as Chainsaw does; `namespace` is where an object that names none belongs. */
export class ClusterObjects {
  readonly #client: KubernetesClient;
  #resources: readonly ApiResource[] = [];

  constructor(client: KubernetesClient) {
    this.#client = client;
  }

  static async connect(kubeconfig: string): Promise<ClusterObjects> {
    const access = clusterAccess({ kubeconfig, env: {}, home: "" });
    if (!access.ok) throw new Error(access.diagnostics[0]?.message);
    const client = await connect(access.value);
    if (!client.ok) throw new Error(client.diagnostics[0]?.message);
    return new ClusterObjects(client.value);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** What was written, or why it was refused. */
  async write(verb: WriteVerb, object: JsonObject, namespace: string): Promise<JsonObject | string> {
    const { path, body, own } = await this.#place(object, namespace);
    try {
      if (object["kind"] === "Namespace" && own !== undefined) await this.#untilNotEnding(own);
      const known = verb === "apply" || verb === "update" ? await this.#known(own) : undefined;
      const isThere = own !== undefined && (verb === "patch" || known !== undefined);
      const written = await this.#client.send(
        !isThere
          ? { method: "POST", path, body }
          : verb === "update"
            ? { method: "PUT", path: own, body: inPlaceOf(known, body) }
            : { method: "PATCH", path: own, body, contentType: "application/merge-patch+json" },
      );
      return isObject(written) ? written : {};
    } catch (error) {
      return refusal(error);
    }
  }

  /** Asks for the object's end; undefined where it is on its way, else why it was refused. */
  async remove(object: JsonObject, namespace: string): Promise<string | undefined> {
    const { own } = await this.#place(object, namespace);
    if (own === undefined) return undefined;
    try {
      await this.#client.send({ method: "DELETE", path: own, body: { propagationPolicy: "Background" } });
      return undefined;
    } catch (error) {
      return error instanceof ApiError && error.status === 404 ? undefined : refusal(error);
    }
  }

  /** Whether it has gone within that time. */
  async isGone(object: JsonObject, namespace: string, milliseconds: number): Promise<boolean> {
    const { own } = await this.#place(object, namespace);
    if (own === undefined) return true;
    for (const deadline = Date.now() + milliseconds; (await this.#get(own)) !== undefined; await sleep(pause))
      if (Date.now() > deadline) return false;
    return true;
  }

  /** The object of that name; without a name all of the kind that have its labels. */
  async find(object: JsonObject, namespace: string): Promise<readonly JsonObject[]> {
    const { path, own } = await this.#place(object, namespace);
    if (own !== undefined) {
      const found = await this.#get(own);
      return found === undefined ? [] : [found];
    }
    const { apiVersion, kind } = object;
    const items = member(await this.#client.get(path), "items");
    // A list does not repeat what its items are.
    return isArray(items) ? items.filter(isObject).map((item) => ({ apiVersion, kind, ...item })) : [];
  }

  async #known(path: string | undefined): Promise<JsonObject | undefined> {
    return path === undefined ? undefined : this.#get(path);
  }

  async #get(path: string): Promise<JsonObject | undefined> {
    try {
      const found = await this.#client.get(path);
      return isObject(found) ? found : undefined;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** A namespace of an earlier test takes some seconds to end. */
  async #untilNotEnding(path: string): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      const found = await this.#get(path);
      if (asString(member(found?.["metadata"], "deletionTimestamp")) === undefined) return;
      await sleep(pause);
    }
  }

  /** Where an object of its kind is made, where it is itself, and how it is sent. */
  async #place(object: JsonObject, fallback: string): Promise<Place> {
    const { namespaced, ...resource } = await this.#resource(object);
    const { namespace = fallback, ...metadata } = isObject(object["metadata"]) ? object["metadata"] : {};
    const path = listPath({ namespaced, ...resource }, namespaced ? asString(namespace) : undefined);
    const name = nameOf(object);
    return {
      path,
      own: name === undefined ? undefined : `${path}/${encodeURIComponent(name)}`,
      body: { ...object, metadata: namespaced ? { ...metadata, namespace } : metadata },
    };
  }

  async #resource(object: JsonObject): Promise<ApiResource> {
    const { group, version } = parseApiVersion(asString(object["apiVersion"]) ?? "");
    const served = (one: ApiResource) => one.group === group && one.version === version && one.kind === object["kind"];
    // A definition that was just made is served a moment later.
    for (let tries = 0; tries < 10; tries++) {
      const resource = this.#resources.find(served);
      if (resource !== undefined) return resource;
      if (tries > 0) await sleep(200);
      this.#resources = (await discover(this.#client)).resources;
    }
    throw new NotAsked(`no ${group}/${version} ${asString(object["kind"])} is served here`);
  }
}

interface Place {
  readonly path: string;
  readonly own: string | undefined;
  readonly body: JsonObject;
}

/** An update is of the version that was seen. */
function inPlaceOf(known: JsonObject | undefined, body: JsonObject): JsonObject {
  const resourceVersion = member(known?.["metadata"], "resourceVersion") ?? "";
  return { ...body, metadata: { ...(isObject(body["metadata"]) ? body["metadata"] : {}), resourceVersion } };
}

function refusal(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  // Nobody decided: an expected refusal is not this.
  if (error.status === 0 || error.reason === "AlreadyExists" || error.message.includes("failed calling webhook"))
    throw new NotAsked(error.message);
  return error.message;
}
