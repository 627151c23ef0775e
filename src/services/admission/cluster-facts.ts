import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { listObjects } from "../../adapters/kubernetes/list.ts";
import type { OutsideCalls } from "../../adapters/outside-calls.ts";
import type { Registries } from "../../adapters/registry/registries.ts";
import { readSignedMessage } from "../../adapters/signed-message.ts";
import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import type { Fact, GlobalContextNeed, Need, ObjectsNeed } from "../../core/facts.ts";
import { needKey } from "../../core/facts.ts";
import type { JsonValue } from "../../core/json.ts";
import { parseApiVersion } from "../../core/kubernetes.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import { selectObjects } from "../scanned-facts.ts";
import type { FactSource } from "./facts.ts";

/** Answers are used again for so long: a burst of requests asks once. */
const freshMilliseconds = 2000;
const maximumEntries = 5000;

export interface ClusterFactsOptions {
  readonly client: KubernetesClient;
  readonly resources: () => ApiResources;
  readonly now: () => number;
  readonly globalContext: (need: GlobalContextNeed) => Fact;
  readonly outside: Pick<OutsideCalls, "call">;
  readonly registries: Pick<Registries, "ask">;
}

/** Looks up in a live cluster, and in the services and registries that the operator allows, what policies ask for; what the server says is not there is certain. */
export class ClusterFacts implements FactSource {
  readonly #options: ClusterFactsOptions;
  readonly #answers = new Map<string, { readonly fact: Fact; readonly at: number }>();

  constructor(options: ClusterFactsOptions) {
    this.#options = options;
  }

  known(need: Need): Fact | undefined {
    // It is held in memory, and changes there.
    if (need.kind === "global-context") return this.#options.globalContext(need);
    if (need.kind === "signed-message") return readSignedMessage(need);
    const entry = this.#answers.get(needKey(need));
    return entry !== undefined && this.#options.now() - entry.at < freshMilliseconds ? entry.fact : undefined;
  }

  async fetch(need: Need, signal: AbortSignal): Promise<Fact> {
    const fact = await this.#ask(need, signal);
    // As large as the services please, and asked with what is in the request.
    if (need.kind === "http-call") return fact;
    // What failed for want of this request's time may succeed for another.
    if (!fact.ok && signal.aborted) return fact;
    if (this.#answers.size >= maximumEntries) this.#answers.clear();
    this.#answers.set(needKey(need), { fact, at: this.#options.now() });
    return fact;
  }

  async #ask(need: Need, signal: AbortSignal): Promise<Fact> {
    switch (need.kind) {
      case "namespace":
        return this.#get(`/api/v1/namespaces/${encodeURIComponent(need.name)}`);
      case "config-map":
        return this.#get(`/api/v1/namespaces/${encodeURIComponent(need.namespace)}/configmaps/${encodeURIComponent(need.name)}`);
      case "api-call":
        return need.method === "GET" ? this.#get(need.path) : this.#post(need.path, need.body ?? null);
      case "objects":
        return this.#list(need);
      case "http-call":
        return this.#options.outside.call(need, signal);
      case "image":
      case "image-verification":
        return this.#options.registries.ask(need, signal);
      case "global-context":
        return this.#options.globalContext(need);
      default:
        return { ok: false, message: "such data cannot be looked up at admission" };
    }
  }

  /** One kind is listed, of every group where none is named; kinds by wildcard would be the whole cluster. */
  async #list(need: ObjectsNeed): Promise<Fact> {
    const resources = this.#kindsOf(need);
    if (resources.length === 0) return { ok: false, message: `${need.objectKind} objects cannot be looked up at admission` };
    const exact = need.namespace !== "" && !/[*?]/.test(need.namespace);
    return this.#answer(async () => {
      const lists = await Promise.all(
        resources.map((resource) =>
          listObjects(this.#options.client, resource, exact && resource.namespaced ? need.namespace : undefined),
        ),
      );
      return selectObjects(need, lists.flat());
    });
  }

  #kindsOf({ apiVersion, objectKind }: ObjectsNeed): readonly ApiResource[] {
    const { group } = parseApiVersion(apiVersion);
    const known = this.#options.resources();
    const served = known.all().filter((one) => one.kind === objectKind && matchWildcard(group, one.group));
    return [...new Set(served.map((one) => one.group))].flatMap((one) => known.byKind(one, objectKind) ?? []);
  }

  async #get(path: string): Promise<Fact> {
    return this.#answer(() => this.#options.client.get(path));
  }

  async #post(path: string, body: JsonValue): Promise<Fact> {
    return this.#answer(() => this.#options.client.send({ method: "POST", path, body }));
  }

  async #answer(ask: () => Promise<JsonValue>): Promise<Fact> {
    try {
      return { ok: true, value: await ask() };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { ok: false, message: error.message, ...(error.status === 404 ? { notFound: true } : {}) };
    }
  }
}
