import { setTimeout as delay } from "node:timers/promises";
import type { ApiResource } from "../../core/api-resources.ts";
import { parseExactJson } from "../../core/exact-json.ts";
import { asString, isObject, member } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf, namespaceOf, versionOf } from "../../core/kubernetes.ts";
import { ApiError, type KubernetesClient } from "./client.ts";
import { listPath, listWithVersion } from "./list.ts";

/** What happened to an object; of a deleted one, its last known state. */
export interface ObjectChange {
  readonly type: "set" | "deleted";
  readonly object: KubernetesObject;
}

export interface InformerEvents {
  /** After the first list, and after each list that had to be made again: everything that is different now. */
  readonly onChanges: (changes: readonly ObjectChange[]) => void;
  /** The API server could not be asked; the objects are those of the last answer. Told again while it lasts. */
  readonly onTrouble?: (error: Error) => void;
}

const longestPause = 30_000;
const watchSeconds = 290;

/**
 * Holds the objects of one resource, without managed fields, and follows their changes: list, then watch from the list's version with bookmarks;
 * where that version is gone (410) the list is made again and compared. It never gives up by itself.
 */
export class Informer {
  readonly resource: ApiResource;
  readonly #client: KubernetesClient;
  readonly #events: InformerEvents;
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #namespace: string | undefined;
  readonly #stop = new AbortController();
  #version = "";
  #running: Promise<void> | undefined;
  #synced = false;
  #failingSince: number | undefined;

  /** Without a namespace: everywhere. */
  constructor(client: KubernetesClient, resource: ApiResource, events: InformerEvents, namespace?: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.resource = resource;
    this.#events = events;
  }

  /** Whether the first list has been made. */
  get synced(): boolean {
    return this.#synced;
  }

  /** For how many milliseconds nothing has been heard of the server since it failed to answer; 0 while all is well. */
  get silence(): number {
    return this.#failingSince === undefined ? 0 : performance.now() - this.#failingSince;
  }

  objects(): Iterable<KubernetesObject> {
    return this.#objects.values();
  }

  get(namespace: string, name: string): KubernetesObject | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  /** Resolves after the first list; rejects with `ApiError` where that fails, and goes on trying all the same. */
  async start(): Promise<void> {
    let first: unknown;
    try {
      await this.#list();
    } catch (error) {
      first = error;
      this.#failingSince = performance.now();
    }
    this.#running = this.#run();
    if (first !== undefined) throw first;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    const stopped = () => this.#stop.signal.aborted;
    while (!stopped()) {
      try {
        if (this.#version === "") await this.#list();
        await this.#watch();
        failures = 0;
        this.#failingSince = undefined;
      } catch (error) {
        if (stopped()) return;
        this.#failingSince ??= performance.now();
        if (error instanceof ApiError && (error.status === 410 || error.reason === "Expired")) this.#version = "";
        else this.#events.onTrouble?.(error instanceof Error ? error : new Error(String(error)));
        const pause = Math.min(500 * 2 ** failures++, longestPause);
        await delay(pause * (0.75 + Math.random() / 2), undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }

  async #list(): Promise<void> {
    const { objects, version } = await listWithVersion(this.#client, this.resource, this.#namespace);
    const changes: ObjectChange[] = [];
    const gone = new Map(this.#objects);
    for (const object of objects.map(withoutManagedFields)) {
      const key = keyOf(object);
      const known = gone.get(key);
      gone.delete(key);
      if (known !== undefined && versionOf(known) === versionOf(object)) continue;
      this.#objects.set(key, object);
      changes.push({ type: "set", object });
    }
    for (const [key, object] of gone) {
      this.#objects.delete(key);
      changes.push({ type: "deleted", object });
    }
    const isFirst = !this.#synced;
    this.#version = version;
    this.#synced = true;
    this.#failingSince = undefined;
    if (changes.length > 0 || isFirst) this.#events.onChanges(changes);
  }

  async #watch(): Promise<void> {
    const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}&resourceVersion=${encodeURIComponent(this.#version)}`;
    for await (const line of this.#client.lines(`${listPath(this.resource, this.#namespace)}?${query}`, this.#stop.signal)) {
      this.#failingSince = undefined;
      const event = parseExactJson(line);
      const type = asString(member(event, "type"));
      const object = member(event, "object");
      if (type === "ERROR") {
        const code = member(object, "code");
        throw new ApiError(
          typeof code === "number" ? code : 500,
          asString(member(object, "reason")) ?? "",
          asString(member(object, "message")) ?? "",
        );
      }
      if (!isObject(object) || !isKubernetesObject(object)) continue;
      this.#version = versionOf(object);
      if (type !== "BOOKMARK") this.#change(type === "DELETED" ? "deleted" : "set", withoutManagedFields(object));
    }
  }

  #change(type: ObjectChange["type"], object: KubernetesObject): void {
    if (type === "deleted") this.#objects.delete(keyOf(object));
    else this.#objects.set(keyOf(object), object);
    this.#events.onChanges([{ type, object }]);
  }
}

function keyOf(object: KubernetesObject): string {
  return `${namespaceOf(object)}/${nameOf(object)}`;
}

/** Who wrote which field is half of an object's size and judged by nobody. */
function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  if (!isObject(object.metadata) || object.metadata["managedFields"] === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
