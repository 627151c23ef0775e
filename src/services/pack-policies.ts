import { isObject, type JsonObject, member } from "../core/json.ts";
import { annotationsOf, gvkOf, isKubernetesObject, nameOf } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { compileMatchResources } from "../policies/cel/match-resources.ts";
import { errorResult } from "../policies/kyverno/outcome.ts";
import { DocumentReport } from "../policies/kyverno/report.ts";
import { autogenSpecs } from "../policies/kyverno-cel/autogen.ts";
import { validatingPolicyFormat } from "../policies/kyverno-cel/validating-policy.ts";
import type { CompiledPolicy, CompiledRule, CompileEnv } from "../policies/policy.ts";
import { policyLabels } from "../policies/policy-labels.ts";
import { type ObjectDocument, withObject } from "./scanned-objects.ts";

/** `absence`: a failure says that something is missing, so it is nothing where somebody else adds it. */
const judgesAnnotation = "castellan.dev/judges";
/** Kinds, as `group/Kind` by comma, whose controller sets what is missing. */
const defaultedAnnotation = "castellan.dev/defaulted-in";

interface Absence {
  readonly judged: boolean;
  readonly defaultedIn: readonly string[];
}

/** Kept with the policy: every failure asks. */
const absences = new WeakMap<CompiledPolicy, Absence>();

/** Whether a failure of the policy says that something is missing, and in which kinds that means nothing. */
export function absenceOf(policy: CompiledPolicy): Absence {
  let absence = absences.get(policy);
  if (absence === undefined) {
    absence = readAbsence(policy);
    absences.set(policy, absence);
  }
  return absence;
}

function readAbsence({ origin }: CompiledPolicy): Absence {
  const annotations = isKubernetesObject(origin.value) ? annotationsOf(origin.value) : {};
  return {
    judged: annotations[judgesAnnotation] === "absence",
    defaultedIn: (annotations[defaultedAnnotation] ?? "").split(",").map((kind) => kind.trim()),
  };
}

/**
 * The ValidatingPolicies of our own packs. Their cases prove that they compile, so each rule is compiled when the first
 * object that it may concern is met: most scans meet a few kinds only.
 */
export function packPolicies(documents: readonly SourceDocument[], env: CompileEnv): readonly CompiledPolicy[] {
  return documents.flatMap((document) => (isPolicyDocument(document) ? [packPolicy(document, env)] : []));
}

function isPolicyDocument(document: SourceDocument): document is ObjectDocument {
  return isKubernetesObject(document.value) && document.value.kind === "ValidatingPolicy";
}

function packPolicy(document: ObjectDocument, env: CompileEnv): CompiledPolicy {
  const object = document.value;
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  const { group, kind } = gvkOf(object);
  const rule = (name: string, part: JsonObject) => deferredRule(name, part, document, env);
  return {
    id: { group, kind, namespace: "", name: nameOf(object) },
    origin: document,
    ...policyLabels(object),
    onError: "allow",
    emitWarning: false,
    background: true,
    admission: member(member(spec["evaluation"], "admission"), "enabled") !== false,
    firstRuleOnly: false,
    needs: [],
    rules: [
      rule("validations", { ...spec, autogen: { podControllers: { controllers: [] } } }),
      ...autogenSpecs(spec).specs.map((one) => rule(`autogen-${one.template}`, one.spec)),
    ],
  };
}

/** One rule of a policy whose spec is `spec`: its conditions are compiled first, and the rest when they hold. */
function deferredRule(name: string, spec: JsonObject, document: ObjectDocument, env: CompileEnv): CompiledRule {
  const match = compileMatchResources(spec["matchConstraints"], ["spec", "matchConstraints"], new DocumentReport(document), {
    equivalent: false,
    resources: env.resources,
  });
  const { matchConditions, ...rest } = spec;
  const enter = once(() => compileSpec({ ...spec, variables: [], validations: [] }, document, env));
  const judge = once(() => compileSpec(rest, document, { resources: env.resources }));
  return {
    name,
    kind: "validate",
    selectors: match.selectors,
    operations: match.operations,
    enforcement: () => "audit",
    evaluate(context) {
      const entered = enter()(context);
      return entered.every(({ status }) => status === "pass") && entered.length > 0 ? judge()(context) : entered;
    },
  };
}

function compileSpec(spec: JsonObject, document: ObjectDocument, env: CompileEnv): CompiledRule["evaluate"] {
  const { diagnostics, ...compiled } = validatingPolicyFormat.compile(withObject(document, { ...document.value, spec }), env);
  const [rule] = compiled.ok ? compiled.value.rules : [];
  if (rule !== undefined) return (context) => rule.evaluate(context);
  const problem = diagnostics.find((d) => d.severity === "error")?.message ?? "it has no rule";
  return () => [errorResult(`the policy was not evaluated: ${problem}`)];
}

function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: compute() };
    return known.value;
  };
}
