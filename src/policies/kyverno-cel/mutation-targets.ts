import { type ObjectsNeed, requireFact } from "../../core/facts.ts";
import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { Env } from "../../languages/cel/env.ts";
import { anyType, dynType, mapOf, stringType } from "../../languages/cel/types.ts";
import { toJson } from "../../languages/cel/values/json.ts";
import { CelError } from "../../languages/cel/values/value.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { compileMatchResources } from "../cel/match-resources.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import type { CompileEnv, RuleContext } from "../policy.ts";
import { evaluateNow, type Opened } from "./gate.ts";

/** The other objects that a policy changes. @throws NeedsFacts, Error with the reason */
export type TargetFinder = (context: RuleContext, opened: Opened) => readonly KubernetesObject[];

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const texts = (value: JsonValue | undefined): readonly string[] => listOf(value).filter((v) => typeof v === "string");

function needsOf(constraints: JsonValue, { resources }: CompileEnv, namespace: string): readonly ObjectsNeed[] {
  return listOf(member(constraints, "resourceRules")).flatMap((rule) =>
    texts(member(rule, "apiGroups")).flatMap((group) =>
      texts(member(rule, "apiVersions")).flatMap((version) =>
        texts(member(rule, "resources")).flatMap((resource): ObjectsNeed[] => {
          const kind = resources.byResource(group, resource)?.kind;
          const apiVersion = group === "" ? version : `${group}/${version}`;
          if (kind === undefined) return [];
          return [{ kind: "objects", apiVersion, objectKind: kind, subresource: "", namespace, name: "" }];
        }),
      ),
    ),
  );
}

/** The context as if the target itself were asked about. */
function contextOf(context: RuleContext, target: KubernetesObject): RuleContext {
  const { action } = context;
  const about = {
    ...action.target,
    ...gvkOf(target),
    resource: "",
    subresource: "",
    namespace: namespaceOf(target),
    name: nameOf(target),
  };
  return {
    ...context,
    object: target,
    oldObject: undefined,
    action: { ...action, target: about, object: target, oldObject: undefined },
  };
}

/** Targets are found whatever is done to them. */
function withoutOperations(constraints: JsonObject): JsonObject {
  const rules = listOf(constraints["resourceRules"]).map((rule) => (isObject(rule) ? { ...rule, operations: ["*"] } : rule));
  return { ...constraints, resourceRules: rules };
}

/** The objects that an expression gives: one, or the items of a list. */
function objectsIn(value: JsonValue): readonly KubernetesObject[] {
  const items = member(value, "items");
  const found = isArray(items) ? items : [value];
  if (!found.every(isKubernetesObject)) throw new Error("the target expression gives what is no Kubernetes object");
  return found;
}

function compileTargetExpression(
  source: JsonValue,
  namespace: string,
  cel: Env,
  path: JsonPath,
  report: DocumentReport,
): TargetFinder | undefined {
  const expression = new ExpressionCompiler(report).compile(source, cel, [mapOf(stringType, anyType), dynType], path);
  if (expression === undefined) return undefined;
  return (_, { session, variables }) => {
    const value = toJson(evaluateNow(expression, session, variables));
    if (value instanceof CelError) throw new Error(value.message);
    const found = value === null ? [] : objectsIn(value);
    if (namespace !== "" && found.some((target) => namespaceOf(target) !== namespace))
      throw new Error(`a policy of namespace ${namespace} changes nothing elsewhere`);
    return found;
  };
}

/** Compiles `targetMatchConstraints`; undefined where the policy has none. `cel`: what its expression sees. */
export function compileTargets(
  spec: JsonObject,
  path: JsonPath,
  namespace: string,
  cel: Env,
  env: CompileEnv,
  report: DocumentReport,
): TargetFinder | undefined {
  const constraints = spec["targetMatchConstraints"];
  if (!isObject(constraints)) return undefined;
  const place = [...path, "targetMatchConstraints"];
  const { expression } = constraints;
  if (expression !== undefined && expression !== "") {
    return compileTargetExpression(expression, namespace, cel, [...place, "expression"], report);
  }
  const match = compileMatchResources(withoutOperations(constraints), place, report, {
    equivalent: false,
    resources: env.resources,
  });
  const needs = needsOf(constraints, env, namespace);
  return (context) =>
    needs
      .flatMap((need) => listOf(requireFact(context.facts, need)))
      .filter(isKubernetesObject)
      .filter((target) => match.matches(contextOf(context, target)));
}
