import type { Diagnostic } from "../../core/diagnostic.ts";
import type { CompiledPolicy } from "./rule.ts";

/** Policies of one layer and one priority, where no specification says which comes first. */
export function tiedPolicies(policies: readonly CompiledPolicy[]): readonly Diagnostic[] {
  const ranked = policies.filter(({ info, layer }) => layer.undeterminedTies && info.active);
  const groups = Map.groupBy(ranked, ({ layer, order }) => `${layer.name} ${order}`);
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group;
    if (first === undefined) return [];
    return others.map(
      ({ info, order }): Diagnostic => ({
        code: "NETWORK_POLICY_UNDETERMINED",
        severity: "warning",
        message: `${info.id} and ${first.info.id} have the same priority ${order}: where both select a pod, either may decide`,
        span: info.document.locate(["spec", "priority"]),
      }),
    );
  });
}
