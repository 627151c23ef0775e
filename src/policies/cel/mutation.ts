import { NeedsFacts } from "../../core/facts.ts";
import { asString, isArray, isObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import { structuredMerge } from "../../core/structured-merge.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import type { Env } from "../../languages/cel/env.ts";
import {
  jsonPatchType,
  misnamedFields,
  mutationLibrary,
  mutationTypes,
  objectType,
  WrittenObject,
} from "../../languages/cel/libraries/kubernetes/mutation.ts";
import { listOf as listType } from "../../languages/cel/types.ts";
import { elementAt } from "../../languages/cel/values/containers.ts";
import { toJson } from "../../languages/cel/values/json.ts";
import { CelError, type CelValue, Failure, isList } from "../../languages/cel/values/value.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import type { RuleContext } from "../policy.ts";
import { apiServerPatch, type WrittenOperation } from "./api-server-patch.ts";
import { decodingProblem } from "./decoded.ts";
import type { CelSession, CompiledExpression } from "./expression.ts";
import { ExpressionCompiler } from "./expression-compiler.ts";

/** One mutation: the object after it. @throws Error with the reason, NeedsFacts, OutOfCost */
export type Mutation = (
  object: KubernetesObject,
  session: CelSession,
  variables: Activation,
  resources: RuleContext["resources"],
) => KubernetesObject;

/** An environment with the types that mutations are written with. */
export function mutationEnv(env: Env): Env {
  return env.extend({ libraries: [mutationLibrary], structsByName: mutationTypes });
}

/** The value of a mutation's expression in the API server's words. */
function computed(expression: CompiledExpression, session: CelSession, variables: Activation): CelValue {
  const value = session.settle(expression, variables);
  if (value instanceof Failure) {
    const reason = value instanceof CelError ? value.message : "outside data is missing";
    throw new Error(`expression '${expression.source}' resulted in error: ${reason}`);
  }
  return value;
}

function checkNames(value: CelValue, root: string): void {
  const wrong = misnamedFields(value, root);
  if (wrong.length > 0) throw new Error(`type mismatch: ${wrong.join("\n")}`);
}

function applyConfiguration(expression: CompiledExpression, allowAtomic: boolean): Mutation {
  return (object, session, variables, resources) => {
    const value = computed(expression, session, variables);
    checkNames(value, objectType.name);
    const patch = toJson(value);
    if (patch instanceof CelError || !isObject(patch)) throw new Error("the configuration is no object");
    const { schemas } = resources;
    if (schemas === undefined) throw new Error("the shapes of kinds are not known here, so no configuration can be applied");
    const merged = structuredMerge(object, patch, schemas, { allowAtomic });
    if (!merged.ok) throw new Error(`error applying patch: ${merged.message}`);
    return merged.value;
  };
}

function operationOf(value: CelValue | Failure): WrittenOperation {
  if (!(value instanceof WrittenObject)) throw new Error("a JSON patch is a list of JSONPatch");
  const written = value.fields.get("value");
  if (written instanceof WrittenObject) checkNames(written, written.type.name);
  const json = toJson(value);
  if (json instanceof CelError)
    throw new Error(`JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${json.message}`);
  const text = (name: string) => asString(member(json, name)) ?? "";
  return { op: text("op"), path: text("path"), from: text("from"), value: member(json, "value") };
}

function operationsOf(value: CelValue): readonly WrittenOperation[] {
  if (!isList(value)) throw new Error("a JSON patch is a list of JSONPatch");
  return Array.from({ length: value.length }, (_, i) => operationOf(elementAt(value, i)));
}

function jsonPatch(expression: CompiledExpression, typed: boolean): Mutation {
  return (object, session, variables, resources) => {
    const patched = apiServerPatch(object, operationsOf(computed(expression, session, variables)));
    // A test that fails leaves the object as it is.
    if (patched === undefined) return object;
    if (!patched.ok) throw new Error(`JSON Patch: ${patched.message}`);
    if (!isKubernetesObject(patched.value)) throw new Error("JSON Patch: the result is no Kubernetes object");
    const problem = typed ? decodingProblem(patched.value, resources.schemas) : undefined;
    if (problem !== undefined) throw new Error(`Internal error occurred: ${problem}`);
    return patched.value;
  };
}

/** In what a MutatingPolicy is not as the API server's own kind. */
interface MutationMode {
  /** Lists and maps that are replaced as a whole may be configured. */
  readonly allowAtomic: boolean;
  /** What a patch made must be of its kind: the API server decodes it; Kyverno patches JSON, and unknown fields are dropped later. */
  readonly typed: boolean;
}

/** Compiles `mutations`; `env` holds the types of {@link mutationEnv}. */
export function compileMutations(
  specs: JsonValue | undefined,
  env: Env,
  path: JsonPath,
  report: DocumentReport,
  { allowAtomic, typed }: MutationMode = { allowAtomic: false, typed: true },
): readonly Mutation[] {
  const compiler = new ExpressionCompiler(report);
  return (isArray(specs) ? specs : []).flatMap((spec, i): Mutation[] => {
    const patchType = asString(member(spec, "patchType")) ?? "";
    const place = (field: string) => [...path, i, field, "expression"];
    if (patchType === "ApplyConfiguration") {
      const source = member(member(spec, "applyConfiguration"), "expression");
      const expression = compiler.compile(source, env, [objectType], place("applyConfiguration"));
      return expression === undefined ? [] : [applyConfiguration(expression, allowAtomic)];
    }
    if (patchType === "JSONPatch") {
      const source = member(member(spec, "jsonPatch"), "expression");
      const expression = compiler.compile(source, env, [listType(jsonPatchType)], place("jsonPatch"));
      return expression === undefined ? [] : [jsonPatch(expression, typed)];
    }
    report.error("KYV_BAD_RULE", [...path, i, "patchType"], "must be ApplyConfiguration or JSONPatch");
    return [];
  });
}

/** Applies mutations one after the other; `variables` gives what expressions see for the object that the one before made. */
export function mutate(
  mutations: readonly Mutation[],
  object: KubernetesObject,
  session: CelSession,
  variables: (object: KubernetesObject) => Activation,
  resources: RuleContext["resources"],
): KubernetesObject {
  return mutations.reduce((current, mutation) => mutation(current, session, variables(current), resources), object);
}

/** What a mutation is evaluated with, for the object that the ones before it made. */
interface MutationRun {
  readonly session: CelSession;
  readonly variables: Activation;
}

/**
 * As {@link mutate}, as the API server does it: what one mutation fails at, the next ones do not.
 * @throws NeedsFacts
 */
export function mutateEach(
  mutations: readonly Mutation[],
  object: KubernetesObject,
  resources: RuleContext["resources"],
  start: (object: KubernetesObject) => MutationRun,
): { readonly object: KubernetesObject; readonly errors: readonly string[] } {
  const errors: string[] = [];
  let current = object;
  for (const mutation of mutations) {
    const { session, variables } = start(current);
    try {
      current = mutation(current, session, variables, resources);
    } catch (error) {
      if (error instanceof NeedsFacts) throw error;
      errors.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { object: current, errors };
}
