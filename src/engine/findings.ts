import type { Finding } from "../core/finding.ts";
import { identified } from "../core/fingerprint.ts";
import { type KubernetesObject, resourceRef } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import type { PolicyId } from "../policies/policy.ts";
import type { PolicyResult } from "./decision.ts";

/** `kyverno.io/ClusterPolicy/name`, or with the namespace before the name. */
export function policyName(id: PolicyId): string {
  return [id.group, id.kind, id.namespace, id.name].filter((part) => part !== "").join("/");
}

/**
 * A result as a finding about `object`, the one that was judged. Where the object came from a text, `document` gives
 * the place that is to blame.
 */
export function toFinding({ policy, rule, result }: PolicyResult, object: KubernetesObject, document?: SourceDocument): Finding {
  const subject = result.target ?? object;
  const { path } = result;
  const location = document?.locate(path ?? []);
  return identified({
    check: {
      policy: policyName(policy.id),
      rule: rule.name,
      ...(policy.title === "" ? {} : { title: policy.title }),
      ...(policy.category === "" ? {} : { category: policy.category }),
    },
    status: result.status,
    severity: result.severity ?? policy.severity,
    resource: resourceRef(subject),
    ...(path === undefined ? {} : { path }),
    ...(location === undefined ? {} : { location }),
    message: result.message,
    ...(result.evidence === undefined ? {} : { evidence: result.evidence }),
    ...(result.fix === undefined ? {} : { fix: result.fix }),
    controls: policy.controls,
  });
}
