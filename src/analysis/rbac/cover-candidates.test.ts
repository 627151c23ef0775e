import fc from "fast-check";
import { expect, test } from "vitest";
import { CoverCandidates } from "./cover-candidates.ts";
import { covers } from "./covers.ts";
import type { Role } from "./objects.ts";
import type { PolicyRule } from "./policy-rule.ts";

const some = (...words: string[]) => fc.uniqueArray(fc.constantFrom(...words), { maxLength: 2 });
const rule: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record({
    verbs: some("get", "list", "*"),
    apiGroups: some("", "apps", "*"),
    resources: some("pods", "pods/exec", "*/exec", "*", "pods/*"),
    resourceNames: some("a", "b"),
    nonResourceURLs: fc.constant([]),
  }),
  fc.record({
    verbs: some("get", "*"),
    apiGroups: fc.constant([]),
    resources: fc.constant([]),
    resourceNames: fc.constant([]),
    nonResourceURLs: some("/metrics", "/api/*", "/api/v1", "*"),
  }),
);
const rules = fc.array(rule, { maxLength: 3 });

const roleOf = (list: readonly PolicyRule[], i: number): Role => ({
  kind: "ClusterRole",
  namespace: "",
  name: `r${i}`,
  labels: {},
  rules: list,
  aggregationSelectors: undefined,
  document: undefined,
});

test("no role that covers the rules is left out, and the order stays", () => {
  fc.assert(
    fc.property(fc.array(rules, { maxLength: 6 }), rules, (lists, asked) => {
      const roles = lists.map(roleOf);
      const search = new CoverCandidates();
      for (const role of roles) search.add(role);
      const covering = (list: readonly Role[]) => list.filter((r) => covers(r.rules, asked)).map((r) => r.name);
      expect(covering(search.of(asked))).toEqual(covering(roles));
    }),
    { numRuns: 2_000 },
  );
});
