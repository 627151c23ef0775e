import type { JsonObject } from "../../core/json.ts";

/** What the cluster lives on from second to second: who asks about everything does not mean these, and must not stop them. */
const machinery = [
  "coordination.k8s.io/leases",
  "/events",
  "events.k8s.io/events",
  "authentication.k8s.io/tokenreviews",
  "authentication.k8s.io/selfsubjectreviews",
  "authorization.k8s.io/subjectaccessreviews",
  "authorization.k8s.io/localsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectrulesreviews",
] as const;

interface AskedResources {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
}

/** Conditions that keep a webhook for all resources away from the machinery, but for what some policy names. */
export function machineryConditions(rules: readonly AskedResources[]): readonly JsonObject[] {
  if (!rules.some(({ resources }) => resources.includes("*") || resources.includes("*/*"))) return [];
  const named = new Set(
    rules.flatMap(({ apiGroups, resources }) => apiGroups.flatMap((group) => resources.map((r) => `${group}/${r}`))),
  );
  const left = machinery.filter((one) => !named.has(one));
  if (left.length === 0) return [];
  const list = left.map((one) => `'${one}'`).join(", ");
  return [{ name: "not-machinery", expression: `!((request.resource.group + '/' + request.resource.resource) in [${list}])` }];
}
