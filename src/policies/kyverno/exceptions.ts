import { asString, isArray, type JsonValue, member } from "../../core/json.ts";
import { type KubernetesObject, nameOf, namespaceOf, parseApiVersion } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import type { CompileEnv } from "../policy.ts";
import { type ConditionsProgram, compileOwnConditions } from "./conditions.ts";
import { compileMatchBlock, type MatchInput, type MatchPredicate } from "./match.ts";
import { reasonOf } from "./outcome.ts";
import { exceptionSpecShape } from "./policy-shape.ts";
import { DocumentReport, reportShape } from "./report.ts";
import type { PodSecurityException, RuleScope } from "./rule-types.ts";

/** A PolicyException (kyverno.io/v2, v2beta1) ready to be asked. */
export interface CompiledException {
  /** `namespace/name` */
  readonly key: string;
  /** Whether the exception speaks of this rule; `policy` is `name`, or `namespace/name` of a namespaced policy. */
  concerns(policy: string, rule: string): boolean;
  readonly matches: MatchPredicate;
  readonly conditions: ConditionsProgram | undefined;
  /** Undefined: the whole rule is lifted. */
  readonly podSecurity: readonly JsonValue[] | undefined;
}

export function isPolicyException(object: KubernetesObject): boolean {
  return object.kind === "PolicyException" && parseApiVersion(object.apiVersion).group === "kyverno.io";
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

/** Names of generated rules are meant with the rule that they were generated from. */
function compileConcerns(exceptions: readonly JsonValue[]): CompiledException["concerns"] {
  const entries = exceptions.map((entry) => ({
    policy: asString(member(entry, "policyName")) ?? "",
    rules: listOf(member(entry, "ruleNames")).filter((name) => typeof name === "string"),
  }));
  return (policy, rule) => entries.some((e) => e.policy === policy && e.rules.some((name) => matchWildcard(name, rule)));
}

/** Compiles an exception. One with an error in it lifts nothing. */
export function compileException(document: SourceDocument<KubernetesObject>): {
  readonly exception: CompiledException | undefined;
  readonly diagnostics: DocumentReport["diagnostics"];
} {
  const report = new DocumentReport(document);
  const spec = member(document.value, "spec");
  reportShape(spec, exceptionSpecShape, ["spec"], report);
  const { matches } = compileMatchBlock(member(spec, "match"), ["spec", "match"], "exception", report);
  const conditions = member(spec, "conditions");
  const compiled = conditions === undefined || conditions === null ? undefined : compileOwnConditions(conditions);
  if (compiled !== undefined) report.adopt(compiled.diagnostics, ["spec", "conditions"]);
  const podSecurity = listOf(member(spec, "podSecurity"));
  if (report.errorCount > 0 || compiled?.ok === false) return { exception: undefined, diagnostics: report.diagnostics };
  const namespace = namespaceOf(document.value);
  const exception: CompiledException = {
    key: namespace === "" ? nameOf(document.value) : `${namespace}/${nameOf(document.value)}`,
    concerns: compileConcerns(listOf(member(spec, "exceptions"))),
    matches,
    conditions: compiled?.value,
    podSecurity: podSecurity.length > 0 ? podSecurity : undefined,
  };
  return { exception, diagnostics: report.diagnostics };
}

/** Exceptions are compiled once for all policies of an environment. */
const compiledExceptions = new WeakMap<CompileEnv, readonly CompiledException[]>();

function exceptionsOf(env: CompileEnv): readonly CompiledException[] {
  let known = compiledExceptions.get(env);
  if (known === undefined) {
    known = (env.exceptions ?? [])
      .filter((document) => isPolicyException(document.value))
      .map((document) => compileException(document).exception)
      .filter((exception) => exception !== undefined);
    compiledExceptions.set(env, known);
  }
  return known;
}

/** The exceptions of an environment that speak of one rule. */
export function exceptionsFor(env: CompileEnv, policy: string, rule: string): readonly CompiledException[] {
  return exceptionsOf(env).filter((exception) => exception.concerns(policy, rule));
}

/** Conditions that cannot be evaluated do not hold: an exception that is in doubt lifts nothing. */
function holds(exception: CompiledException, scope: RuleScope): boolean {
  try {
    return exception.conditions === undefined || exception.conditions(scope).met;
  } catch (error) {
    reasonOf(error);
    return false;
  }
}

export type Lifted =
  | { readonly kind: "not" }
  /** The whole rule is lifted by these. */
  | { readonly kind: "rule"; readonly keys: readonly string[] }
  /** Only Pod Security controls are. */
  | { readonly kind: "controls"; readonly exceptions: readonly PodSecurityException[] };

const notLifted: Lifted = { kind: "not" };

/**
 * What the exceptions lift of a rule for one object. A rule about Pod Security is lifted as a whole only by an
 * exception that names no controls; other rules are lifted by any that matches.
 */
export function liftedBy(
  exceptions: readonly CompiledException[],
  input: MatchInput,
  scope: () => RuleScope,
  isPodSecurity: boolean,
): Lifted {
  const matched = exceptions.filter((e) => e.matches(input) && holds(e, scope()));
  if (matched.length === 0) return notLifted;
  if (!isPodSecurity) return { kind: "rule", keys: matched.map((e) => e.key) };
  const whole = matched.find((e) => e.podSecurity === undefined);
  if (whole !== undefined) return { kind: "rule", keys: [whole.key] };
  return { kind: "controls", exceptions: matched.map((e) => ({ key: e.key, podSecurity: e.podSecurity ?? [] })) };
}
