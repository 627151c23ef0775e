import type { Store } from "../../adapters/store/store.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Host, Instant } from "../../core/host.ts";
import { policyName } from "../../engine/index.ts";
import type { CompiledPolicy, Enforcement } from "../../policies/policy.ts";
import type { LivePolicies } from "../live/live-policies.ts";
import type { Posture } from "../live/posture.ts";
import { scannedFacts } from "../scanned-facts.ts";
import { readHistory } from "./history.ts";
import type { PolicyModes } from "./policy-modes.ts";
import { isClean, type Preview, previewPolicies } from "./preview.ts";
import { evidenceOf } from "./summary.ts";

export interface Promotion {
  /** As `kyverno.io/ClusterPolicy/name`, or the name alone where only one policy has it. */
  readonly policy: string;
  /** Empty: everywhere. */
  readonly namespace: string;
  readonly to: Enforcement;
  /** Why it may stop those whom the preview shows. */
  readonly reason: string | undefined;
  readonly by: string;
  /** How far back recorded requests are tried. */
  readonly since: Instant;
}

export type Promoted =
  | { readonly ok: true; readonly policy: string; readonly preview: Preview }
  | {
      readonly ok: false;
      readonly code: "POLICY_UNKNOWN" | "PREVIEW_DENIES" | "NOTHING_TO_PROMOTE";
      readonly message: string;
      readonly preview?: Preview;
    };

export interface RolloutOptions {
  readonly policies: LivePolicies;
  readonly posture: Posture;
  readonly modes: PolicyModes;
  readonly store: Store;
  readonly cluster: string;
  readonly resources: () => ApiResources;
  readonly host: Host;
  /** Whether the posture's objects are all there are. */
  readonly complete: boolean;
}

/** Changes how far policies of a running server are rolled out; nothing is enforced that was not previewed. */
export class Rollout {
  readonly #options: RolloutOptions;

  constructor(options: RolloutOptions) {
    this.#options = options;
  }

  async promote(promotion: Promotion): Promise<Promoted> {
    const found = this.#find(promotion.policy);
    if (!found.ok) return found;
    const policy = policyName(found.policy.id);
    if (!found.policy.rules.some(({ kind }) => kind === "validate" || kind === "verify")) {
      return {
        ok: false,
        code: "NOTHING_TO_PROMOTE",
        message: `${policy} only changes or generates objects; it refuses nothing`,
      };
    }
    const preview = await this.#previewOf(found.policy, promotion);
    const { namespace, to, by, reason } = promotion;
    // A warning stops nobody; it is how those whom the preview shows hear of it.
    if (to === "enforce" && !isClean(preview) && reason === undefined) {
      const undecided = preview.undecided.length === 0 ? "" : `, and ${preview.undecided.length} could not be judged`;
      const message = `${policy} would stop ${preview.stopped.length}${undecided}: give a reason to enforce it all the same`;
      return { ok: false, code: "PREVIEW_DENIES", message, preview };
    }
    await this.#options.modes.change({ policy, namespace, mode: to, by, reason, evidence: evidenceOf(preview) });
    return { ok: true, policy, preview };
  }

  #find(
    name: string,
  ):
    | { readonly ok: true; readonly policy: CompiledPolicy }
    | { readonly ok: false; readonly code: "POLICY_UNKNOWN"; readonly message: string } {
    const { policies } = this.#options.policies.current;
    const found = policies.filter(({ id }) => policyName(id) === name || id.name === name);
    const [only] = found;
    if (only !== undefined && found.length === 1) return { ok: true, policy: only };
    const names = found.map(({ id }) => policyName(id)).join(", ");
    return {
      ok: false,
      code: "POLICY_UNKNOWN",
      message: found.length === 0 ? `there is no policy ${name} in force` : `several policies are called ${name}: ${names}`,
    };
  }

  /** Whom the policy would stop if it was enforced there; nothing changes. */
  async preview(asked: Pick<Promotion, "policy" | "namespace" | "since">): Promise<Promoted> {
    const found = this.#find(asked.policy);
    if (!found.ok) return found;
    return { ok: true, policy: policyName(found.policy.id), preview: await this.#previewOf(found.policy, asked) };
  }

  async #previewOf(policy: CompiledPolicy, { namespace, since }: Pick<Promotion, "namespace" | "since">): Promise<Preview> {
    const { posture, store, cluster, host, complete } = this.#options;
    const resources = this.#options.resources();
    const objects = [...posture.objects].map((document) => document.value);
    const history = await readHistory(store.reading, { since, cluster, resources });
    const facts = scannedFacts({ objects, resources, complete });
    return previewPolicies({ policies: [policy], objects, history, resources, facts, host, namespace });
  }
}
