import { isArray, type JsonObject, type JsonPath, member } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { CompiledExpression } from "../cel/expression.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { compileMutations, type Mutation, mutate, mutationEnv } from "../cel/mutation.ts";
import { errorResult, passed, reasonOf } from "../kyverno/outcome.ts";
import type { CompiledRule, CompileEnv, PolicyFormat, RuleContext, RuleResult } from "../policy.ts";
import { annotate, compileAnnotations } from "./audit-annotations.ts";
import { autogenSpecs } from "./autogen.ts";
import { kyvernoEnv } from "./environment.ts";
import { celExceptions } from "./exceptions.ts";
import { compileGate, type Gate, type Opened, show } from "./gate.ts";
import { convertSpec } from "./mutating-autogen.ts";
import { compileTargets, type TargetFinder } from "./mutation-targets.ts";
import {
  celPolicy,
  downstreamTerms,
  gatedRule,
  type PolicyDocument,
  problemOf,
  readPolicy,
  requireMatchConstraints,
} from "./policy-document.ts";
import { mutatingPolicyShape } from "./spec-shapes.ts";

/** Changes an object; the result is about `target` where that is another than the request's. */
function change(
  object: KubernetesObject,
  opened: Opened,
  mutations: readonly Mutation[],
  annotations: ReturnType<typeof compileAnnotations>,
  resources: RuleContext["resources"],
): { readonly result: RuleResult; readonly object: KubernetesObject } {
  const { session, variables } = opened;
  const seen = (current: KubernetesObject) => {
    show(variables, "object", current);
    return variables;
  };
  try {
    const changed = mutate(mutations, object, session, seen, resources);
    show(variables, "object", changed);
    const evidence =
      annotations.length === 0 ? {} : { evidence: { auditAnnotations: annotate(annotations, session, variables) } };
    return { result: { ...passed("success"), ...evidence }, object: changed };
  } catch (error) {
    return { result: errorResult(`failed to evaluate policy: ${reasonOf(error)}`), object };
  }
}

interface Targets {
  readonly find: TargetFinder;
  readonly conditions: readonly CompiledExpression[];
}

function changeTargets(
  { find, conditions }: Targets,
  opened: Opened,
  gate: Gate,
  mutations: readonly Mutation[],
  annotations: ReturnType<typeof compileAnnotations>,
  context: RuleContext,
): readonly RuleResult[] {
  let targets: readonly KubernetesObject[];
  try {
    targets = find(context, opened);
  } catch (error) {
    return [errorResult(`failed to find targets: ${reasonOf(error)}`)];
  }
  return targets.map((target) => {
    const entered = gate.enterTarget(context, target, conditions);
    if (entered.kind === "none") return errorResult("a target was not judged");
    if (entered.kind === "result") return { ...entered.result, target };
    const { result, object } = change(target, entered, mutations, annotations, context.resources);
    return { ...result, target: object };
  });
}

function compileSpec(name: string, spec: JsonObject, policy: PolicyDocument, env: CompileEnv): CompiledRule {
  const { id, report } = policy;
  const path: JsonPath = ["spec"];
  const base = mutationEnv(kyvernoEnv(id.namespace, env.resources));
  const exceptions = celExceptions(env, id, base, report);
  const gate = compileGate(
    { spec, path, namespace: id.namespace, env: base, exceptions, conditions: "matchConditions" },
    env,
    report,
  );
  const compiler = new ExpressionCompiler(report);
  const cel = gate.variables.env;
  const allowAtomic = member(spec["evaluation"], "useServerSideApply") === true;
  const mutations = compileMutations(spec["mutations"], cel, [...path, "mutations"], report, { allowAtomic, typed: false });
  const annotations = compileAnnotations(spec["auditAnnotations"], cel, [...path, "auditAnnotations"], compiler);
  const find = compileTargets(spec, path, id.namespace, cel, env, report);
  const targetPath = [...path, "targetMatchConditions"];
  const conditions = compiler.conditions(spec["targetMatchConditions"], cel, targetPath);
  const existing = member(member(spec["evaluation"], "mutateExisting"), "enabled") === true;
  return gatedRule({
    name,
    kind: "mutate",
    gate,
    enforcement: "enforce",
    problem: problemOf(report),
    downstream: existing && find !== undefined ? downstreamTerms(policy, "mutateExisting") : undefined,
    evaluate: (opened, context) => {
      if (existing && find !== undefined)
        return changeTargets({ find, conditions }, opened, gate, mutations, annotations, context);
      if (context.object === undefined) return [errorResult("there is no object to change")];
      const { result, object } = change(context.object, opened, mutations, annotations, context.resources);
      return [result.status === "pass" ? { ...result, object } : result];
    },
  });
}

/** Kyverno's MutatingPolicy and NamespacedMutatingPolicy. */
export const mutatingPolicyFormat: PolicyFormat = {
  kinds: [
    { group: "policies.kyverno.io", kind: "MutatingPolicy" },
    { group: "policies.kyverno.io", kind: "NamespacedMutatingPolicy" },
  ],
  compile(document, env) {
    const policy = readPolicy(document, mutatingPolicyShape);
    requireMatchConstraints(policy);
    const { spec, report } = policy;
    if (!isArray(spec["mutations"]) || spec["mutations"].length === 0) {
      report.error("KYV_BAD_RULE", ["spec", "mutations"], "a mutating policy needs mutations");
    }
    const { specs, unknown } = autogenSpecs(spec, convertSpec);
    for (const name of unknown) {
      const path = ["spec", "autogen", "podControllers", "controllers"];
      report.error("KYV_NOT_SUPPORTED", path, `rules for the controller ${name} are not supported`);
    }
    const own = compileSpec("mutations", spec, policy, env);
    const generated = specs.map((one) => compileSpec(`autogen-${one.template}`, one.spec, policy, env));
    return celPolicy(policy, [own, ...generated]);
  },
};
