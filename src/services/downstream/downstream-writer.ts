import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { listPath, objectPath } from "../../adapters/kubernetes/list.ts";
import type { Action } from "../../core/action.ts";
import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import { asString, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { diffJson } from "../../core/json-diff.ts";
import {
  declaredPart,
  groupOf,
  isKubernetesObject,
  type KubernetesObject,
  nameOf,
  namespaceOf,
  parseApiVersion,
  uidOf,
  versionOf,
} from "../../core/kubernetes.ts";
import type { DownstreamTerms } from "../../policies/policy.ts";
import { converge } from "./converge.ts";

/** By this name, and as the user that we are, the API server shows us our own writes again. */
const fieldManager = "castellan-downstream";

/** What becomes of the objects that are owned by one that is deleted. */
export type Propagation = "Background" | "Foreground" | "Orphan";

/** Told of each write, once it is done; `by` is the policy that asked for it, where the object itself does not say. */
export type OnWrite = (verb: "create" | "update" | "delete", object: KubernetesObject, by?: string) => void;

/** Writes what policies want elsewhere. Everything rejects with `ApiError`; kinds that are not served are 404. */
export class DownstreamWriter {
  readonly #client: KubernetesClient;
  readonly #resources: () => ApiResources;
  readonly #onWrite: OnWrite;
  #self: Promise<string> | undefined;

  constructor(client: KubernetesClient, resources: () => ApiResources, onWrite: OnWrite) {
    this.#client = client;
    this.#resources = resources;
    this.#onWrite = onWrite;
  }

  /** Whether a request is one of ours. */
  async isOwn({ actor, options }: Action): Promise<boolean> {
    if (member(options, "fieldManager") !== fieldManager) return false;
    this.#self ??= this.#whoAmI();
    return actor?.user === (await this.#self);
  }

  /** Makes the object; one that is there is brought to this state where it is to be kept so. */
  async bring(object: KubernetesObject, terms: DownstreamTerms): Promise<void> {
    const resource = this.#resourceOf(object);
    const path = objectPath(resource, namespaceOf(object), nameOf(object));
    if (terms.serverSideApply) {
      await this.#client.send({
        method: "PATCH",
        path: `${path}?fieldManager=${fieldManager}&force=true`,
        body: object,
        contentType: "application/apply-patch+yaml",
      });
      return this.#onWrite("update", object);
    }
    const live = await this.#get(path);
    if (live !== undefined) {
      if (terms.synchronize) await this.#change(path, live, converge(live, object));
      return;
    }
    const list = listPath(resource, resource.namespaced ? namespaceOf(object) : undefined);
    try {
      await this.#client.send({ method: "POST", path: `${list}?fieldManager=${fieldManager}`, body: declaredPart(object) });
    } catch (error) {
      // Somebody was faster; what is to be kept is looked at again by who tries again.
      if (terms.synchronize || !isAlreadyThere(error)) throw error;
      return;
    }
    this.#onWrite("create", object);
  }

  /** Changes an object that is there to what a rule made of it; a conflict (409) where it is not any more what the rule saw. */
  async mutate(object: KubernetesObject): Promise<void> {
    const path = this.#pathOf(object);
    const live = await this.#get(path);
    if (live === undefined) return;
    const seen = versionOf(object);
    if (seen !== "" && seen !== versionOf(live)) throw new ApiError(409, "Conflict", `${nameOf(object)} has been changed`);
    await this.#change(path, live, object);
  }

  /** Whether this very object is stored, and not another of that name. */
  async isThere(object: KubernetesObject): Promise<boolean> {
    const live = await this.#get(this.#pathOf(object));
    return live !== undefined && uidOf(live) === uidOf(object);
  }

  /** What is not there any more, or is not what it was when this was decided, is left, and no failure. */
  async remove(object: KubernetesObject, propagation: Propagation = "Background", by?: string): Promise<void> {
    const uid = uidOf(object);
    const resourceVersion = versionOf(object);
    const body: JsonObject = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: propagation,
      ...(uid === "" || resourceVersion === "" ? {} : { preconditions: { uid, resourceVersion } }),
    };
    try {
      await this.#client.send({ method: "DELETE", path: this.#pathOf(object), body });
      this.#onWrite("delete", object, by);
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 409)) throw error;
    }
  }

  /** Whether the API server says for certain that there is no such object: it serves the kind, and has none of that name. */
  async isGone(group: string, kind: string, namespace: string, name: string): Promise<boolean> {
    const resource = this.#resources().byKind(group, kind);
    if (resource === undefined) return false;
    return (await this.#get(objectPath(resource, namespace, name))) === undefined;
  }

  async #change(path: string, live: KubernetesObject, wanted: KubernetesObject): Promise<void> {
    const changes = diffJson(declaredPart(live), declaredPart(wanted)).map((operation): JsonObject => ({ ...operation }));
    if (changes.length === 0) return;
    // The API server refuses a patch (409) that gives another version than there is by then.
    const body = [...changes, { op: "replace", path: "/metadata/resourceVersion", value: versionOf(live) }];
    const contentType = "application/json-patch+json";
    await this.#client.send({ method: "PATCH", path: `${path}?fieldManager=${fieldManager}`, body, contentType });
    this.#onWrite("update", wanted);
  }

  async #get(path: string): Promise<KubernetesObject | undefined> {
    let found: JsonValue;
    try {
      found = await this.#client.get(path);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
    return isKubernetesObject(found) ? found : undefined;
  }

  #pathOf(object: KubernetesObject): string {
    return objectPath(this.#resourceOf(object), namespaceOf(object), nameOf(object));
  }

  #resourceOf(object: KubernetesObject): ApiResource {
    const resource = this.#resources().byKind(groupOf(object), object.kind);
    if (resource === undefined) throw new ApiError(404, "NotFound", `the cluster serves no ${object.apiVersion} ${object.kind}`);
    const { version } = parseApiVersion(object.apiVersion);
    return version === "" ? resource : { ...resource, version };
  }

  async #whoAmI(): Promise<string> {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const body: JsonObject = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    try {
      const review = await this.#client.send({ method: "POST", path, body });
      return asString(member(member(member(review, "status"), "userInfo"), "username")) ?? "";
    } catch {
      // Asked again with the next one; nobody is called "".
      this.#self = undefined;
      return "";
    }
  }
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409 && error.reason === "AlreadyExists";
}
