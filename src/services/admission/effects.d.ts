import { type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import { type KubernetesObject } from "../../core/kubernetes.ts";
import type { Decision } from "../../engine/index.ts";
/** What policies want done elsewhere because a request was admitted. */
export interface Effects {
    /** Objects to be made, or brought to this state. */
    readonly generated: readonly KubernetesObject[];
    /** Other objects, after the mutation of a rule. */
    readonly targets: readonly KubernetesObject[];
}
/** Undefined where an admitted request has no effects elsewhere. */
export declare function effectsOf({ results }: Decision): Effects | undefined;
/** Makes the effects of admitted requests in the cluster, after the answer, in order. What the server refuses is told. */
export declare class EffectsWriter {
    #private;
    constructor(client: KubernetesClient, resources: () => ApiResources, onTrouble: (error: unknown) => void);
    take({ generated, targets }: Effects): void;
    /** Resolves when everything that was taken is done or given up. */
    settled(): Promise<void>;
}
