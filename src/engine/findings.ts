import type { CheckRef, Finding } from "../core/finding.ts";
import { identified } from "../core/fingerprint.ts";
import { type KubernetesObject, resourceRef } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import type { CompiledPolicy, PolicyId } from "../policies/policy.ts";
import type { PolicyResult } from "./decision.ts";

/** `kyverno.io/ClusterPolicy/name`, or with the namespace before the name. */
export function policyName(id: PolicyId): string {
  return [id.group, id.kind, id.namespace, id.name].filter((part) => part !== "").join("/");
}

/** Kept with the policy, by the names of its rules: many findings speak of few rules. */
const checks = new WeakMap<CompiledPolicy, Map<string, CheckRef>>();

function checkOf(policy: CompiledPolicy, rule: string): CheckRef {
  const ofPolicy = checks.get(policy) ?? new Map<string, CheckRef>();
  checks.set(policy, ofPolicy);
  const check = ofPolicy.get(rule) ?? {
    policy: policyName(policy.id),
    rule,
    ...(policy.title === "" ? {} : { title: policy.title }),
    ...(policy.category === "" ? {} : { category: policy.category }),
  };
  ofPolicy.set(rule, check);
  return check;
}

/**
 * A result as a finding about `object`, the one that was judged. Where the object came from a text, `document` gives
 * the place that is to blame.
 */
export function toFinding({ policy, rule, result }: PolicyResult, object: KubernetesObject, document?: SourceDocument): Finding {
  const { path, evidence, fix } = result;
  const location = document?.locate(path ?? []);
  return identified({
    check: checkOf(policy, rule.name),
    status: result.status,
    severity: result.severity ?? policy.severity,
    resource: resourceRef(result.target ?? object),
    ...(path === undefined ? {} : { path }),
    ...(location === undefined ? {} : { location }),
    message: result.message,
    ...(evidence === undefined ? {} : { evidence }),
    ...(fix === undefined ? {} : { fix }),
    controls: policy.controls,
  });
}
