import type { Action } from "../../core/action.ts";
import { owningKind } from "../../core/api-resources.ts";
import { requireFact } from "../../core/facts.ts";
import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { type KubernetesObject, labelsOf, namespaceOf } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";
import { latest } from "../../core/latest.ts";
import type { CompiledRule, CompileEnv, PolicyId, RuleContext, RuleKind, RuleResult } from "../policy.ts";
import { type ConditionsProgram, compileConditions } from "./conditions.ts";
import { compileContext } from "./context.ts";
import { downstreamTerms } from "./downstream-terms.ts";
import { compileRuleEnforcement, type EnforcementOf } from "./enforcement.ts";
import { type CompiledException, exceptionsFor, type Lifted, liftedBy } from "./exceptions.ts";
import { withExistingViolations } from "./existing-violations.ts";
import { type CompiledMatch, compileMatch, type MatchInput } from "./match.ts";
import { errorResult, joinNonEmpty, reasonOf, skipped } from "./outcome.ts";
import { compileProperties, type ResultProperties } from "./properties.ts";
import type { DocumentReport } from "./report.ts";
import { compileRuleBodies, kindOfRule } from "./rule-bodies.ts";
import type { RuleBody, RuleScope, RuleSource, ScopeExtension } from "./rule-types.ts";
import { ruleScope } from "./scope.ts";

const none: readonly RuleResult[] = [];

/** What the rules of one policy share. */
export interface PolicyContext {
  readonly id: PolicyId;
  readonly env: CompileEnv;
  readonly report: DocumentReport;
  readonly enforcement: EnforcementOf;
  /** `policies.kyverno.io/scored: "false"`: failures are warnings. */
  readonly scored: boolean;
  /** Why no rule of the policy can be evaluated. */
  readonly problem: string | undefined;
}

function namespaceLabels({ action, facts }: RuleContext, object: KubernetesObject): Labels {
  if (action.namespaceLabels !== undefined) return action.namespaceLabels;
  const name = namespaceOf(object);
  if (name === "") return {};
  let namespace: JsonValue;
  try {
    namespace = requireFact(facts, { kind: "namespace", name });
  } catch (error) {
    throw new Error(`the labels of namespace ${name} are not known: ${reasonOf(error)}`);
  }
  return labelsOf({ apiVersion: "v1", kind: "Namespace", metadata: { labels: labelMember(namespace) } });
}

function labelMember(namespace: JsonValue): Labels {
  const labels = member(member(namespace, "metadata"), "labels");
  return isObject(labels) ? Object.fromEntries(Object.entries(labels).map(([k, v]) => [k, String(v)])) : {};
}

/** What match blocks look at, the same for all rules; undefined when the action carries no object. */
export const matchInput = latest((context: RuleContext): MatchInput | undefined => {
  const object = context.object ?? context.oldObject;
  return object === undefined ? undefined : toMatchInput(context, context.action, object);
});

function toMatchInput(context: RuleContext, action: Action, object: KubernetesObject): MatchInput {
  return {
    object,
    ...owningKind(action.target, context.resources),
    subresource: action.target.subresource,
    operation: action.operation,
    actor: action.actor,
    namespaceLabels: () => namespaceLabels(context, object),
  };
}

interface RuleParts {
  readonly source: RuleSource;
  readonly id: PolicyId;
  readonly match: CompiledMatch;
  readonly extend: ScopeExtension;
  readonly preconditions: ConditionsProgram | undefined;
  readonly exceptions: readonly CompiledException[];
  readonly properties: ResultProperties | undefined;
  readonly scored: boolean;
}

/** Undefined: the preconditions hold. */
function failedPreconditions(preconditions: ConditionsProgram, scope: RuleScope): RuleResult | undefined {
  try {
    const { met, message } = preconditions(scope);
    return met ? undefined : skipped(joinNonEmpty(["preconditions not met", message], "; "));
  } catch (error) {
    return errorResult(`failed to evaluate preconditions: ${reasonOf(error)}`);
  }
}

function liftedResult(lifted: Extract<Lifted, { kind: "rule" }>): RuleResult {
  const { keys } = lifted;
  return { ...skipped(`rule is skipped due to policy exceptions ${keys.join(", ")}`), exceptions: keys };
}

/** The rule for one context: match, context, preconditions, exceptions, and then what it is about. */
function evaluateBody(parts: RuleParts, body: RuleBody, context: RuleContext): readonly RuleResult[] {
  const input = matchInput(context);
  if (input === undefined || !parts.match.matches(input)) return none;
  let scope = parts.extend(ruleScope(context, parts.id, parts.source.name));
  if (parts.preconditions !== undefined) {
    const result = failedPreconditions(parts.preconditions, scope);
    if (result !== undefined) return finish(parts, [result], scope);
  }
  if (parts.exceptions.length > 0) {
    const base = scope;
    const isPodSecurity = isObject(member(parts.source.spec["validate"], "podSecurity"));
    const lifted = liftedBy(parts.exceptions, input, () => base, isPodSecurity);
    if (lifted.kind === "rule") return finish(parts, [liftedResult(lifted)], scope);
    if (lifted.kind === "controls") {
      scope = parts.extend(ruleScope(context, parts.id, parts.source.name, lifted.exceptions));
    }
  }
  return finish(parts, body.evaluate(scope), scope);
}

/** Applies what the policy says about results as such. */
function finish(parts: RuleParts, results: readonly RuleResult[], scope: RuleScope): readonly RuleResult[] {
  if (parts.properties === undefined && parts.scored) return results;
  return results.map((result) => {
    const described = parts.properties === undefined ? result : parts.properties(result, scope);
    return described.status === "fail" && !parts.scored ? { ...described, status: "warn" } : described;
  });
}

/** A rule that cannot be evaluated says so for every object that it would have judged. */
function brokenBody(kind: RuleKind, problem: string): RuleBody {
  return { kind, evaluate: () => [errorResult(problem)] };
}

/** What is wrong with a rule: its fields (\`shape\`), or what was found while it was compiled. */
function ruleProblem(shape: readonly string[], compiling: readonly string[]): string | undefined {
  const problems = shape.length > 0 ? shape : compiling;
  return problems.length === 0 ? undefined : `the rule was not evaluated: ${[...new Set(problems)].join("; ")}`;
}

/** Compiles one rule of a policy; a verifyImages rule gives two. Problems go to the report and become error results. */
export function compileRule(source: RuleSource, policy: PolicyContext, shapeErrors: readonly string[]): readonly CompiledRule[] {
  const { report, env, id } = policy;
  const { spec, path } = source;
  const errorsBefore = report.errors.length;
  const match = compileMatch({ match: spec["match"], exclude: spec["exclude"] }, source.policy.namespace, path, report);
  const extend = compileContext(spec["context"], [...path, "context"], source.policy, report);
  const preconditions = compileConditions(spec["preconditions"]);
  report.adopt(preconditions.diagnostics, [...path, "preconditions"]);
  const enforcement = compileRuleEnforcement(spec, path, policy.enforcement, report);
  const key = id.namespace === "" ? id.name : `${id.namespace}/${id.name}`;
  const parts: RuleParts = {
    source,
    id,
    match,
    extend,
    preconditions: hasConditions(spec) && preconditions.ok ? preconditions.value : undefined,
    exceptions: exceptionsFor(env, key, source.name),
    properties: compileProperties(spec["reportProperties"], [...path, "reportProperties"], report),
    scored: policy.scored,
  };
  const compiled = shapeErrors.length === 0 ? compileRuleBodies(source, env, report) : [];
  const problem = policy.problem ?? ruleProblem(shapeErrors, report.errors.slice(errorsBefore));
  const bodies = problem === undefined ? compiled : [brokenBody(kindOfRule(spec), problem)];
  return bodies.map((body) => {
    const evaluate = (context: RuleContext) => evaluateBody(parts, body, context);
    return {
      name: source.name,
      kind: body.kind,
      selectors: match.selectors,
      operations: match.operations,
      enforcement,
      downstream: downstreamTerms(spec, source.policy.spec),
      evaluate: body.kind === "validate" ? withExistingViolations(evaluate, spec, source.policy.spec) : evaluate,
    };
  });
}

function hasConditions(spec: JsonObject): boolean {
  const conditions = spec["preconditions"];
  return isArray(conditions) ? conditions.length > 0 : isObject(conditions);
}

/** Where rule `index` stands in its document. */
export function rulePath(index: number): JsonPath {
  return ["spec", "rules", index];
}
