import type { CheckRef, Finding, Fix, RuleStatus, Severity } from "../core/finding.ts";
import { findingId, type Sha256Hex } from "../core/fingerprint.ts";
import type { JsonObject, JsonPath } from "../core/json.ts";
import { type KubernetesObject, type ResourceRef, resourceRef } from "../core/kubernetes.ts";
import { latest } from "../core/latest.ts";
import type { SourceDocument, Span } from "../core/source.ts";
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
export function toFinding(told: PolicyResult, object: KubernetesObject, document?: SourceDocument): Finding {
  return new LateFinding(told, object, document);
}

const accessor = <T>(get: (this: LateFinding) => T): PropertyDescriptor => ({ enumerable: true, get });

/** Its members are its own, for those who copy or print it; their getters are shared, as a scan makes thousands of these. */
class LateFinding implements Finding {
  static readonly #late = {
    id: accessor(function () {
      this.#id ??= findingId(this.check, this.resource, this.path);
      return this.#id;
    }),
    path: accessor(function () {
      if (this.#path === "unknown") this.#path = this.#told.result.locate?.();
      return this.#path;
    }),
    location: accessor(function () {
      if (this.#location === "unknown") this.#location = this.#document?.locate(this.path ?? []);
      return this.#location;
    }),
    evidence: accessor(function () {
      return this.#told.result.evidence;
    }),
    fix: accessor(function () {
      const { policy, result } = this.#told;
      return result.fix ?? adviceOf(policy, result.status);
    }),
  };

  declare readonly id: string;
  declare readonly check: CheckRef;
  declare readonly status: RuleStatus;
  declare readonly severity: Severity;
  declare readonly resource: ResourceRef;
  declare readonly path: JsonPath | undefined;
  declare readonly location: Span | undefined;
  declare readonly message: string;
  declare readonly evidence: JsonObject | undefined;
  declare readonly fix: Fix | undefined;
  declare readonly controls: readonly string[];
  readonly #told: PolicyResult;
  readonly #document: SourceDocument | undefined;
  #id: string | undefined;
  #path: JsonPath | "unknown" | undefined = "unknown";
  #location: Span | "unknown" | undefined = "unknown";

  constructor(told: PolicyResult, object: KubernetesObject, document: SourceDocument | undefined) {
    const { policy, rule, result } = told;
    this.#told = told;
    this.#document = document;
    Object.defineProperty(this, "id", LateFinding.#late.id);
    this.check = checkOf(policy, rule.name);
    this.status = result.status;
    this.severity = result.severity ?? policy.severity;
    this.resource = referenceTo(result.target ?? object);
    Object.defineProperty(this, "path", LateFinding.#late.path);
    Object.defineProperty(this, "location", LateFinding.#late.location);
    this.message = result.message;
    Object.defineProperty(this, "evidence", LateFinding.#late.evidence);
    Object.defineProperty(this, "fix", LateFinding.#late.fix);
    this.controls = policy.controls;
  }
}
