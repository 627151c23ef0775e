import type { Loaded } from "../../core/diagnostic.ts";
import { loaded } from "../../core/diagnostic.ts";
import { isArray, isObject, type JsonObject, member } from "../../core/json.ts";
import { groupOf, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { errorResult } from "../kyverno/outcome.ts";
import { DocumentReport, reportShape } from "../kyverno/report.ts";
import type { Shape } from "../kyverno/shape.ts";
import { webhookTimeout } from "../kyverno/webhook-timeout.ts";
import type {
  CompiledPolicy,
  CompiledRule,
  DownstreamTerms,
  Enforcement,
  PolicyId,
  RuleContext,
  RuleKind,
  RuleResult,
} from "../policy.ts";
import { policyLabels } from "../policy-labels.ts";
import type { Gate, Opened } from "./gate.ts";

/** A CEL policy while it is compiled. */
export interface PolicyDocument {
  readonly id: PolicyId;
  readonly document: SourceDocument<KubernetesObject>;
  readonly spec: JsonObject;
  readonly report: DocumentReport;
}

/** Reads the parts that all kinds have; unknown fields are reported. */
export function readPolicy(document: SourceDocument<KubernetesObject>, shape: Shape): PolicyDocument {
  const object = document.value;
  const report = new DocumentReport(document);
  const { spec } = object;
  if (!isObject(spec)) report.error("KYV_BAD_RULE", ["spec"], "a policy needs a spec");
  else reportShape(spec, shape, ["spec"], report);
  const namespace = object.kind.startsWith("Namespaced") ? namespaceOf(object) || "default" : "";
  const id = { group: groupOf(object), kind: object.kind, namespace, name: nameOf(object) };
  return { id, document, spec: isObject(spec) ? spec : {}, report };
}

/** As Kyverno refuses it: a policy about no kind at all would never judge anything, and look as if it was in force. */
export function requireMatchConstraints({ spec, report }: PolicyDocument): void {
  const rules = member(spec["matchConstraints"], "resourceRules");
  if (isArray(rules) && rules.length > 0) return;
  const at = spec["matchConstraints"] === undefined ? ["spec"] : ["spec", "matchConstraints"];
  report.error(
    "KYV_BAD_MATCH",
    at,
    "spec.matchConstraints: at least one resource rule is required, or the policy is about nothing",
  );
}

/** Deny, then Warn, then Audit, of what `validationActions` says; Kyverno denies where it says nothing. */
export function enforcementOf(actions: JsonObject[string], fallback: Enforcement): Enforcement {
  const list = isArray(actions) ? actions : [];
  if (list.length === 0) return fallback;
  if (list.includes("Deny")) return "enforce";
  return list.includes("Warn") ? "warn" : "audit";
}

/** How a policy that makes or changes other objects wants them kept; what it says of `existing` differs by kind. */
export function downstreamTerms({ spec }: PolicyDocument, existing: "generateExisting" | "mutateExisting"): DownstreamTerms {
  const { evaluation } = spec;
  const isOn = (part: string) => member(member(evaluation, part), "enabled") === true;
  return {
    synchronize: isOn("synchronize"),
    existing: isOn(existing),
    orphan: isOn("orphanDownstreamOnPolicyDelete"),
    serverSideApply: spec["useServerSideApply"] === true || member(evaluation, "useServerSideApply") === true,
    kinds: undefined,
    skipsOwnWrites: member(evaluation, "skipBackgroundRequests") !== false,
    runsOnce: /request\.(?!namespace\b|name\b|kind\b|operation\b)|oldObject|authorizer|\b(random|time\.\w+)\(/.test(
      JSON.stringify(spec),
    ),
  };
}

export interface RuleParts {
  readonly name: string;
  readonly kind: RuleKind;
  readonly gate: Gate;
  readonly enforcement: Enforcement;
  /** Why the rule cannot be evaluated: said for every object that it is about. */
  readonly problem: string | undefined;
  readonly downstream?: DownstreamTerms | undefined;
  evaluate(opened: Opened, context: RuleContext): readonly RuleResult[];
}

/** A rule behind its gate. */
export function gatedRule({ name, kind, gate, enforcement, problem, downstream, evaluate }: RuleParts): CompiledRule {
  return {
    name,
    kind,
    downstream,
    selectors: gate.match.selectors,
    operations: gate.match.operations,
    enforcement: () => enforcement,
    evaluate(context) {
      const entered = gate.enter(context);
      if (entered.kind === "none") return [];
      if (problem !== undefined) return [errorResult(problem)];
      return entered.kind === "result" ? [entered.result] : evaluate(entered, context);
    },
  };
}

/** What is wrong with a policy, as its results say it. */
export function problemOf(report: DocumentReport): string | undefined {
  return report.errorCount === 0 ? undefined : `the policy was not evaluated: ${[...new Set(report.errors)].join("; ")}`;
}

/** The whole policy, made of its rules. */
export function celPolicy(
  { id, document, spec, report }: PolicyDocument,
  rules: readonly CompiledRule[],
  more: Partial<CompiledPolicy> = {},
): Loaded<CompiledPolicy> {
  const isOff = (part: string) => member(member(spec["evaluation"], part), "enabled") === false;
  const actions = spec["validationActions"];
  return loaded(
    {
      id,
      origin: document,
      ...policyLabels(document.value),
      onError: spec["failurePolicy"] === "Ignore" ? "allow" : "deny",
      webhookTimeoutSeconds: webhookTimeout(member(spec["webhookConfiguration"], "timeoutSeconds")),
      emitWarning: isArray(actions) && actions.includes("Warn"),
      background: !isOff("background"),
      admission: !isOff("admission"),
      firstRuleOnly: false,
      needs: [],
      rules,
      ...more,
    },
    report.diagnostics,
  );
}
