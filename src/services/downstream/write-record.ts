import type { Ledger } from "../../adapters/store/ledger.ts";
import type { Instant } from "../../core/host.ts";
import { resourceRef } from "../../core/kubernetes.ts";
import { originOf } from "../../policies/kyverno/generate/generated-labels.ts";
import type { OnWrite } from "./downstream-writer.ts";

/** Records in the ledger what is written in a cluster for its policies, and for which. */
export function recordWrites(ledger: Ledger, cluster: string, now: () => Instant, onTrouble: (error: unknown) => void): OnWrite {
  return (verb, object, by) => {
    const { group, kind, namespace, name } = resourceRef(object);
    const made = originOf(object);
    const data = by !== undefined ? { policy: by } : made !== undefined ? { policy: made.policy, rule: made.rule } : {};
    const record = {
      kind: "policy.downstream",
      at: now(),
      cluster,
      actor: undefined,
      verb,
      group,
      resource: kind,
      namespace: namespace === "" ? undefined : namespace,
      name,
      outcome: "done",
      data,
    } as const;
    ledger.append([record]).catch(onTrouble);
  };
}
