import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import type { KubernetesObject } from "../../../src/core/kubernetes.ts";
import { type KubernetesSchemas, kubernetesSchemas } from "../../../src/core/schema.ts";
import type { SourceDocument } from "../../../src/core/source.ts";
import { callOf } from "./go-literal.ts";
import { NotData } from "./go-schema.ts";
import { structJson } from "./go-struct.ts";

export function sourceDocument(value: KubernetesObject): SourceDocument<KubernetesObject> {
  return { file: "-", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

let schemas: KubernetesSchemas | undefined;

/** The kinds of the Kubernetes version that is followed. */
export function builtInSchemas(): KubernetesSchemas {
  const file = join(import.meta.dirname, "../../../catalog/kubernetes/v1.36.json");
  schemas ??= kubernetesSchemas(JSON.parse(readFileSync(file, "utf8")));
  return schemas;
}

/** What each helper of the tests adds to the spec of a policy. */
const parts: { readonly [helper: string]: (args: readonly JsonValue[]) => JsonObject } = {
  policy: () => ({}),
  mutations: (mutations) => ({ mutations: mutations.map(structJson) }),
  matchConstraints: ([constraints]) => ({ matchConstraints: structJson(constraints) }),
  paramKind: ([kind]) => ({ paramKind: structJson(kind) }),
  variables: (variables) => ({ variables: variables.map(structJson) }),
  jsonPatches: (patches) => ({
    mutations: patches.map((jsonPatch) => ({ patchType: "JSONPatch", jsonPatch: structJson(jsonPatch) })),
  }),
  applyConfigurations: (expressions) => ({
    mutations: expressions.map((expression) => ({ patchType: "ApplyConfiguration", applyConfiguration: { expression } })),
  }),
};

function specOf(value: JsonValue | undefined): JsonObject {
  const call = callOf(value);
  if (call === undefined) {
    const policy = structJson(value);
    return isObject(policy) && isObject(policy["spec"]) ? policy["spec"] : {};
  }
  const part = parts[call.name];
  if (part === undefined) throw new NotData(`${call.name} is not known`);
  const [inner, ...args] = call.args;
  return call.name === "policy" ? {} : { ...specOf(inner), ...part(args) };
}

function nameOf(value: JsonValue | undefined): string {
  const call = callOf(value);
  if (call !== undefined) return call.name === "policy" ? String(call.args[0]) : nameOf(call.args[0]);
  const policy = structJson(value);
  return isObject(policy) && isObject(policy["metadata"]) ? String(policy["metadata"]["name"]) : "";
}

/** A policy that the tests build with their helpers, or write as a struct. */
export function goPolicy(kind: string, value: JsonValue | undefined): KubernetesObject {
  const apiVersion = "admissionregistration.k8s.io/v1";
  return { apiVersion, kind, metadata: { name: nameOf(value) }, spec: specOf(value) };
}
