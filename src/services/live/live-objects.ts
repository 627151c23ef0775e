import type { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { Informer, type ObjectChange } from "../../adapters/kubernetes/informer.ts";
import { isLoadedByDefault } from "../../adapters/kubernetes/load-cluster.ts";
import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import { liveDocument } from "./policy-informers.ts";
import type { Posture } from "./posture.ts";

const concurrentLists = 4;

/** Feeds everything that a cluster holds to its posture, as it changes. What may not be listed is told as trouble. */
export class LiveObjects {
  readonly #client: KubernetesClient;
  readonly #posture: Posture;
  readonly #onChanges: (changes: readonly ObjectChange[]) => void;
  readonly #onTrouble: (error: Error) => void;
  readonly #informers = new Map<string, Informer>();

  /** `onChanges` is told after the posture. */
  constructor(
    client: KubernetesClient,
    posture: Posture,
    onChanges: (changes: readonly ObjectChange[]) => void,
    onTrouble: (error: Error) => void,
  ) {
    this.#client = client;
    this.#posture = posture;
    this.#onChanges = onChanges;
    this.#onTrouble = onTrouble;
  }

  /** Follows what is served; resolves when all first lists are made. Called again after a change of what is served. */
  async follow(resources: ApiResources): Promise<void> {
    const wanted = watchable(resources).filter((resource) => !this.#informers.has(keyOf(resource)));
    const queue = wanted.values();
    const lanes = Array.from({ length: concurrentLists }, async () => {
      for (const resource of queue) await this.#start(resource);
    });
    await Promise.all(lanes);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.stop()));
  }

  async #start(resource: ApiResource): Promise<void> {
    if (this.#informers.has(keyOf(resource))) return;
    const onTrouble = (error: Error) => this.#onTrouble(new Error(`${resource.resource} cannot be watched: ${error.message}`));
    const informer = new Informer(this.#client, resource, { onChanges: (changes) => this.#take(changes), onTrouble });
    this.#informers.set(keyOf(resource), informer);
    await informer.start().catch(onTrouble);
  }

  #take(changes: readonly ObjectChange[]): void {
    const set = changes.filter(({ type }) => type === "set").map(({ object }) => liveDocument(object, this.#client.context));
    const deleted = changes.filter(({ type }) => type === "deleted").map(({ object }) => object);
    this.#posture.change(set, deleted);
    this.#onChanges(changes);
  }
}

const keyOf = (resource: ApiResource) => `${resource.group}/${resource.resource}`;

/** Of a resource that is served in several groups or versions, one: the objects are the same. */
function watchable(resources: ApiResources): readonly ApiResource[] {
  const seen = new Set<string>();
  return resources.all().filter((resource) => {
    const useful = resource.verbs.includes("list") && resource.verbs.includes("watch") && isLoadedByDefault(resource);
    return useful && !seen.has(keyOf(resource)) && seen.add(keyOf(resource));
  });
}
