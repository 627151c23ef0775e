import { setTimeout as delay } from "node:timers/promises";
import { ApiError } from "../../adapters/kubernetes/client.js";
import { listPath } from "../../adapters/kubernetes/list.js";
import { diffJson } from "../../core/json-diff.js";
import { formatRef, isKubernetesObject, nameOf, namespaceOf, resourceRef } from "../../core/kubernetes.js";
import { ClusterWriter } from "../live/cluster-writer.js";
/** Undefined where an admitted request has no effects elsewhere. */
export function effectsOf({ results }) {
    const generated = results.flatMap(({ result }) => result.generated ?? []);
    const targets = results.flatMap(({ result }) => result.target ?? []);
    return generated.length + targets.length === 0 ? undefined : { generated, targets };
}
/** An object that was just admitted is stored a moment later. */
const tries = 12;
const pauseMilliseconds = 300;
/** Makes the effects of admitted requests in the cluster, after the answer, in order. What the server refuses is told. */
export class EffectsWriter {
    #client;
    #resources;
    #writer;
    #onTrouble;
    #last = Promise.resolve();
    constructor(client, resources, onTrouble) {
        this.#client = client;
        this.#resources = resources;
        this.#writer = new ClusterWriter(client, resources);
        this.#onTrouble = onTrouble;
    }
    take({ generated, targets }) {
        for (const object of generated)
            this.#enqueue(object, () => this.#writer.apply(object));
        for (const object of targets)
            this.#enqueue(object, () => this.#bring(object));
    }
    /** Resolves when everything that was taken is done or given up. */
    settled() {
        return this.#last;
    }
    #enqueue(object, write) {
        this.#last = this.#last.then(async () => {
            for (let attempt = 1;; attempt++) {
                try {
                    await write();
                    return;
                }
                catch (error) {
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
    async #bring(object) {
        const resource = this.#resources().byKind(resourceRef(object).group, object.kind);
        if (resource === undefined)
            return;
        const path = `${listPath(resource, resource.namespaced ? namespaceOf(object) : undefined)}/${encodeURIComponent(nameOf(object))}`;
        const live = await this.#client.get(path);
        if (!isKubernetesObject(live))
            return;
        const body = diffJson(lasting(live), lasting(object)).map((operation) => ({ ...operation }));
        if (body.length > 0)
            await this.#client.send({ method: "PATCH", path, body, contentType: "application/json-patch+json" });
    }
}
/** Without what the server keeps itself. */
function lasting(object) {
    const { status: _s, ...rest } = object;
    const metadata = Object.fromEntries(Object.entries(object.metadata ?? {}).filter(([key]) => !["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"].includes(key)));
    return { ...rest, metadata };
}
//# sourceMappingURL=effects.js.map