import type { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { objectPath } from "../../adapters/kubernetes/list.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Instant } from "../../core/host.ts";
import { isArray, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf, namespaceOf, resourceRef } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { policyName } from "../../engine/index.ts";
import { autogenStatus } from "./autogen-status.ts";
import type { PolicyRevision } from "./live-policies.ts";

export interface PolicyStatusOptions {
  readonly client: KubernetesClient;
  readonly resources: () => ApiResources;
  readonly now: () => Instant;
  readonly onTrouble: (error: unknown) => void;
}

const concurrent = 4;

/**
 * Tells in the status of each policy in the cluster that it is in force, or why not, in the shape that its own tools
 * read: `conditions` of kyverno.io, `conditionStatus` of policies.kyverno.io.
 */
export class PolicyStatus {
  readonly #options: PolicyStatusOptions;
  readonly #told = new Map<string, string>();

  constructor(options: PolicyStatusOptions) {
    this.#options = options;
  }

  /** Writes what is not told yet; call after the webhooks of a revision are registered. */
  async write(documents: readonly SourceDocument[], revision: PolicyRevision): Promise<void> {
    const queue = documents
      .map((document) => document.value)
      .filter(isKubernetesObject)
      .values();
    const lanes = Array.from({ length: concurrent }, async () => {
      for (const policy of queue) await this.#tell(policy, revision).catch(this.#options.onTrouble);
    });
    await Promise.all(lanes);
  }

  async #tell(policy: KubernetesObject, revision: PolicyRevision): Promise<void> {
    const { group, kind, namespace, name } = resourceRef(policy);
    const resource = this.#options.resources().byKind(group, kind);
    const id = policyName({ group, kind, namespace, name });
    const status = statusOf(group, kind, revision.broken.includes(id), this.#options.now());
    if (resource === undefined || status === undefined || !resource.subresources.some((sub) => sub.name === "status")) return;
    const key = `${id} ${String(member(policy.metadata, "uid"))} ${String(member(policy.metadata, "generation"))}`;
    const text = String(status.ready);
    if (this.#told.get(key) === text && conditionsOf(policy).length > 0) return;
    const autogen = autogenStatus(policy);
    const path = `${objectPath(resource, namespaceOf(policy), nameOf(policy))}/status`;
    await this.#options.client.send({
      method: "PATCH",
      path,
      body: { status: { ...status.body, ...(autogen === undefined ? {} : { autogen }) } },
      contentType: "application/merge-patch+json",
    });
    this.#told.set(key, text);
  }
}

function conditionsOf(policy: KubernetesObject): readonly JsonValue[] {
  const status = policy["status"];
  const conditions = member(status, "conditions") ?? member(member(status, "conditionStatus"), "conditions");
  return isArray(conditions) ? conditions : [];
}

/** Undefined for kinds that have no such status. */
function statusOf(
  group: string,
  kind: string,
  broken: boolean,
  now: Instant,
): { readonly ready: boolean; readonly body: JsonObject } | undefined {
  const ready = !broken;
  const lastTransitionTime = `${new Date(now).toISOString().slice(0, 19)}Z`;
  const condition = (type: string, message: string): JsonObject => ({
    type,
    status: ready ? "True" : "False",
    reason: ready ? "Succeeded" : "Failed",
    message: ready ? message : "The policy does not compile; the server's log says where.",
    lastTransitionTime,
  });
  if (group === "kyverno.io" && /^(Cluster)?Policy$/.test(kind)) {
    return { ready, body: { ready, conditions: [condition("Ready", "Ready")] } };
  }
  if (group !== "policies.kyverno.io" || kind === "PolicyException") return undefined;
  const conditions = [
    condition("WebhookConfigured", "Webhook configured."),
    condition("RBACPermissionsGranted", "Policy is ready for reporting."),
  ];
  // Whether the API server was given an admission policy of its own for it: we run it ourselves.
  const generated = /^(Validating|Mutating)Policy$/.test(kind) ? { generated: false } : {};
  return { ready, body: { ...generated, conditionStatus: { ready, message: "", conditions } } };
}
