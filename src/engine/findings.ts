import type { CheckRef, Finding, Fix, RuleStatus } from "../core/finding.ts";
import { findingId, type Sha256Hex } from "../core/fingerprint.ts";
import { type KubernetesObject, resourceRef } from "../core/kubernetes.ts";
import { latest } from "../core/latest.ts";
import { once } from "../core/once.ts";
import type { SourceDocument } from "../core/source.ts";
import type { CompiledPolicy, PolicyId } from "../policies/policy.ts";
import type { PolicyResult } from "./decision.ts";

/** `kyverno.io/ClusterPolicy/name`, or with the namespace before the name. */
export function policyName(id: PolicyId): string {
  const { group, kind, namespace, name } = id;
  return `${group === "" ? "" : `${group}/`}${kind}/${namespace === "" ? "" : `${namespace}/`}${name}`;
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

function adviceOf(policy: CompiledPolicy, status: RuleStatus): Fix | undefined {
  const isBad = status === "fail" || status === "warn";
  return isBad && policy.remedy !== undefined ? { description: policy.remedy } : undefined;
}

/** The last one: what is said of an object is said at once. */
const referenceTo = latest(resourceRef);

/** As `toFinding`, worked out at once: for findings that are kept for long, as nothing of the evaluation stays with them. */
export function plainFinding(
  { policy, rule, result }: PolicyResult,
  object: KubernetesObject,
  document: SourceDocument,
  sha256: Sha256Hex,
): Finding {
  const check = checkOf(policy, rule.name);
  const resource = referenceTo(result.target ?? object);
  const { status } = result;
  const path = result.locate?.();
  return {
    id: findingId(check, resource, path, sha256),
    check,
    status,
    severity: result.severity ?? policy.severity,
    resource,
    path,
    location: document.locate(path ?? []),
    message: result.message,
    evidence: result.evidence,
    fix: result.fix ?? adviceOf(policy, status),
    controls: policy.controls,
  };
}

/**
 * A result as a finding about `object`, the one that was judged. Where the object came from a text, `document` gives
 * the place that is to blame. Where it lies, its id and its fix are worked out when somebody asks: of many findings
 * nobody does.
 */
export function toFinding({ policy, rule, result }: PolicyResult, object: KubernetesObject, document?: SourceDocument): Finding {
  const check = checkOf(policy, rule.name);
  const resource = referenceTo(result.target ?? object);
  const path = once(() => result.locate?.());
  const location = once(() => document?.locate(path() ?? []));
  const advice = adviceOf(policy, result.status);
  const id = once(() => findingId(check, resource, path()));
  return {
    get id() {
      return id();
    },
    check,
    status: result.status,
    severity: result.severity ?? policy.severity,
    resource,
    get path() {
      return path();
    },
    get location() {
      return location();
    },
    message: result.message,
    get evidence() {
      return result.evidence;
    },
    get fix() {
      return result.fix ?? advice;
    },
    controls: policy.controls,
  };
}
