import type { Ledger } from "../../adapters/store/ledger.ts";
import { readPolicyModes, writePolicyMode } from "../../adapters/store/policy-modes.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { Instant } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Enforcement } from "../../policies/policy.ts";
import type { PolicyMode } from "../admission/modes.ts";

export const enforcements = ["audit", "warn", "enforce"] as const satisfies readonly Enforcement[];

export interface ModeChange extends PolicyMode {
  readonly by: string;
  readonly reason: string | undefined;
  /** What the preview said, kept as evidence. */
  readonly evidence: JsonObject;
}

/** The modes of one cluster's policies as the database has them; other replicas may change them. */
export class PolicyModes {
  readonly #store: Store;
  readonly #ledger: Ledger;
  readonly #cluster: string;
  readonly #now: () => Instant;
  readonly #onChange: (modes: readonly PolicyMode[]) => void;
  #known = "[]";

  constructor(options: {
    readonly store: Store;
    readonly ledger: Ledger;
    readonly cluster: string;
    readonly now: () => Instant;
    readonly onChange: (modes: readonly PolicyMode[]) => void;
  }) {
    this.#store = options.store;
    this.#ledger = options.ledger;
    this.#cluster = options.cluster;
    this.#now = options.now;
    this.#onChange = options.onChange;
  }

  /** Takes up what has changed in the database. */
  async refresh(): Promise<void> {
    const rows = await readPolicyModes(this.#store.reading, this.#cluster);
    const modes = rows.flatMap(({ policy, namespace, mode }): PolicyMode[] => {
      const known = enforcements.find((name) => name === mode);
      return known === undefined ? [] : [{ policy, namespace, mode: known }];
    });
    const text = JSON.stringify(modes);
    if (text === this.#known) return;
    this.#known = text;
    this.#onChange(modes);
  }

  /** The evidence is durable before the change is made. Rejects with `LedgerBusy` or `LedgerUnavailable`. */
  async change({ policy, namespace, mode, by, reason, evidence }: ModeChange): Promise<void> {
    const at = this.#now();
    const [group = "", ...kindAndName] = policy.split("/");
    await this.#ledger.append([
      {
        kind: "policy.changed",
        at,
        cluster: this.#cluster,
        actor: by,
        verb: "update",
        group,
        resource: kindAndName[0],
        namespace: namespace === "" ? undefined : namespace,
        name: kindAndName.slice(1).join("/"),
        outcome: mode,
        data: { policy, mode, ...(reason === undefined ? {} : { reason }), preview: evidence },
      },
    ]);
    await writePolicyMode(this.#store.db, {
      cluster: this.#cluster,
      policy,
      namespace,
      mode,
      changed_at: at,
      changed_by: by,
      reason: reason ?? null,
    });
    await this.refresh();
  }
}
