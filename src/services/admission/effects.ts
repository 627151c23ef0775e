import { setTimeout as delay } from "node:timers/promises";
import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { listPath } from "../../adapters/kubernetes/list.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { JsonObject } from "../../core/json.ts";
import { diffJson } from "../../core/json-diff.ts";
import {
  declaredPart,
  formatRef,
  isKubernetesObject,
  type KubernetesObject,
  nameOf,
  namespaceOf,
  resourceRef,
} from "../../core/kubernetes.ts";
import type { Decision } from "../../engine/index.ts";
import { ClusterWriter } from "../live/cluster-writer.ts";

/** What policies want done elsewhere because a request was admitted. */
export interface Effects {
  /** Objects to be made, or brought to this state. */
  readonly generated: readonly KubernetesObject[];
  /** Other objects, after the mutation of a rule. */
  readonly targets: readonly KubernetesObject[];
}

/** Undefined where an admitted request has no effects elsewhere. */
export function effectsOf({ results }: Decision): Effects | undefined {
  // Nearly all have none.
  if (!results.some(({ result }) => result.generated !== undefined || result.target !== undefined)) return undefined;
  const generated = results.flatMap(({ result }) => result.generated ?? []);
  const targets = results.flatMap(({ result }) => result.target ?? []);
  return generated.length + targets.length === 0 ? undefined : { generated, targets };
}

/** An object that was just admitted is stored a moment later. */
const tries = 12;
const pauseMilliseconds = 300;

/** Makes the effects of admitted requests in the cluster, after the answer, in order. What the server refuses is told. */
export class EffectsWriter {
  readonly #client: KubernetesClient;
  readonly #resources: () => ApiResources;
  readonly #writer: ClusterWriter;
  readonly #onTrouble: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(client: KubernetesClient, resources: () => ApiResources, onTrouble: (error: unknown) => void) {
    this.#client = client;
    this.#resources = resources;
    this.#writer = new ClusterWriter(client, resources);
    this.#onTrouble = onTrouble;
  }

  take({ generated, targets }: Effects): void {
    for (const object of generated) this.#enqueue(object, () => this.#writer.apply(object));
    for (const object of targets) this.#enqueue(object, () => this.#bring(object));
  }

  /** Resolves when everything that was taken is done or given up. */
  settled(): Promise<void> {
    return this.#last;
  }

  #enqueue(object: KubernetesObject, write: () => Promise<unknown>): void {
    this.#last = this.#last.then(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          await write();
          return;
        } catch (error) {
          const mayPass = error instanceof ApiError && (error.status === 404 || error.status === 409);
          if (!mayPass || attempt === tries) {
            const message = error instanceof Error ? error.message : String(error);
            this.#onTrouble(new Error(`${formatRef(resourceRef(object))} could not be written for a policy: ${message}`));
            return;
          }
          await delay(pauseMilliseconds);
        }
      }
    });
  }

  /** Changes only what the rule changed; where somebody was faster it is tried again. */
  async #bring(object: KubernetesObject): Promise<void> {
    const resource = this.#resources().byKind(resourceRef(object).group, object.kind);
    if (resource === undefined) return;
    const path = `${listPath(resource, resource.namespaced ? namespaceOf(object) : undefined)}/${encodeURIComponent(nameOf(object))}`;
    const live = await this.#client.get(path);
    if (!isKubernetesObject(live)) return;
    const body = diffJson(declaredPart(live), declaredPart(object)).map((operation): JsonObject => ({ ...operation }));
    if (body.length > 0) await this.#client.send({ method: "PATCH", path, body, contentType: "application/json-patch+json" });
  }
}
