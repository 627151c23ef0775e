import { globalContextNeed, type Need, requireFact } from "../../core/facts.ts";
import { asString, isObject, type JsonValue, member } from "../../core/json.ts";
import { type ApiCallNeed, apiCallNeed } from "./api-call.ts";
import { compileField, type EntryContext, type EntryValue } from "./context.ts";
import { reasonOf } from "./outcome.ts";
import { compileQuery, type QuerySource, search } from "./query.ts";
import type { RuleScope } from "./rule-types.ts";
import type { Template } from "./variables.ts";

function textOf(template: Template | undefined, scope: RuleScope, field: string): string {
  const value = template?.substitute(scope) ?? "";
  if (typeof value !== "string") throw new Error(`${field} must be a string, but is ${JSON.stringify(value)}`);
  return value;
}

function compileConfigMap(spec: JsonValue, { name, path, policy, report }: EntryContext): EntryValue {
  const mapName = compileField(member(spec, "name"), [...path, "configMap", "name"], report);
  const mapNamespace = compileField(member(spec, "namespace"), [...path, "configMap", "namespace"], report);
  return (scope) => {
    const own = policy.namespace;
    const namespace = textOf(mapNamespace, scope, "configMap.namespace") || own || "default";
    if (own !== "" && namespace !== own) {
      throw new Error(`context entry ${name}: configMap namespace "${namespace}" is different from policy namespace "${own}"`);
    }
    const need: Need = { kind: "config-map", namespace, name: textOf(mapName, scope, "configMap.name") };
    try {
      const map = requireFact(scope.context.facts, need);
      return { data: member(map, "data") ?? null, metadata: member(map, "metadata") ?? null };
    } catch (error) {
      const where = `failed to get configmap ${namespace}/${need.name}`;
      throw new Error(`failed to retrieve config map for context entry ${name}: ${where} : ${reasonOf(error)}`);
    }
  };
}

/** The namespace that an API path leads into. */
function namespaceOfPath(path: string): string | undefined {
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // As the API server would: what cannot be decoded is taken as it is.
  }
  const steps: string[] = [];
  for (const step of decoded.split("/")) {
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  }
  const at = steps.indexOf("namespaces");
  return (steps[0] === "api" || steps[0] === "apis") && at > 0 ? steps[at + 1] : undefined;
}

/** A policy of one namespace may not look into others. */
function checkPathNamespace(path: string, own: string): void {
  if (own === "") return;
  const namespace = namespaceOfPath(path);
  if (namespace === undefined) {
    throw new Error(`path ${path} does not contain a namespace segment, which is required for namespaced policies`);
  }
  if (namespace !== own) {
    throw new Error(`path ${path} refers to namespace ${namespace}, which is different from the policy namespace ${own}`);
  }
}

function describeCall(need: ApiCallNeed): string {
  if (need.kind === "api-call") return `failed to ${need.method} resource with raw url: ${need.path}`;
  return `failed to execute HTTP request to ${need.url}`;
}

function transformed(query: QuerySource | undefined, data: JsonValue, scope: RuleScope, entry: string): JsonValue {
  if (query === undefined) return data;
  const { text, program } = query(scope);
  try {
    return search(program, data, scope);
  } catch (error) {
    throw new Error(`failed to apply JMESPath ${text} for context entry ${entry}: ${reasonOf(error)}`);
  }
}

function compileJmesPathField(spec: JsonValue, { path, report }: EntryContext, field: string): QuerySource | undefined {
  const text = asString(member(spec, "jmesPath")) ?? "";
  return text === "" ? undefined : compileQuery(text, [...path, field, "jmesPath"], report);
}

function compileApiCall(spec: JsonValue, context: EntryContext): EntryValue {
  const { name, path, policy, report } = context;
  const { default: fallback, jmesPath: _jmesPath, ...call } = isObject(spec) ? spec : {};
  const template = compileField(call, [...path, "apiCall"], report);
  const query = compileJmesPathField(spec, context, "apiCall");
  return (scope) => {
    const need = apiCallNeed(template?.substitute(scope) ?? null);
    if (need.kind === "api-call") checkPathNamespace(need.path, policy.namespace);
    let data: JsonValue;
    try {
      data = requireFact(scope.context.facts, need);
    } catch (error) {
      const reason = reasonOf(error);
      // The default takes the place of the transformed result, not of the response.
      if (fallback !== undefined && fallback !== null) return fallback;
      throw new Error(`failed to fetch data for APICall: ${describeCall(need)}: ${reason}`);
    }
    return transformed(query, data, scope, name);
  };
}

function compileImage(spec: JsonValue, context: EntryContext): EntryValue {
  const { name, path, report } = context;
  const reference = compileField(member(spec, "reference"), [...path, "imageRegistry", "reference"], report);
  const query = compileJmesPathField(spec, context, "imageRegistry");
  return (scope) => {
    const need: Need = { kind: "image", reference: textOf(reference, scope, "imageRegistry.reference") };
    let data: JsonValue;
    try {
      data = requireFact(scope.context.facts, need);
    } catch (error) {
      throw new Error(`failed to fetch image descriptor: ${need.reference}, error: ${reasonOf(error)}`);
    }
    return transformed(query, data, scope, name);
  };
}

function compileGlobalReference(spec: JsonValue, context: EntryContext): EntryValue {
  const { name, path, policy, report } = context;
  const reference = compileField(member(spec, "name"), [...path, "globalReference", "name"], report);
  const query = compileJmesPathField(spec, context, "globalReference");
  return (scope) => {
    if (policy.namespace !== "") {
      throw new Error(`context entry ${name}: globalReference is not allowed in namespaced policies`);
    }
    const [entry = "", projection = ""] = textOf(reference, scope, "globalReference.name").split(".");
    let data: JsonValue;
    try {
      data = requireFact(scope.context.facts, globalContextNeed(entry, projection));
    } catch (error) {
      throw new Error(`failed to fetch entry key=${entry}: ${reasonOf(error)}`);
    }
    return transformed(query, data, scope, name);
  };
}

/** Compiles an entry whose data comes from outside; undefined where it is none of them. */
export function compileExternalEntry(spec: JsonValue, context: EntryContext): EntryValue | undefined {
  const of = (field: string) => {
    const value = member(spec, field);
    return value === null ? undefined : value;
  };
  const configMap = of("configMap");
  if (configMap !== undefined) return compileConfigMap(configMap, context);
  const apiCall = of("apiCall");
  if (apiCall !== undefined) return compileApiCall(apiCall, context);
  const image = of("imageRegistry");
  if (image !== undefined) return compileImage(image, context);
  const globalReference = of("globalReference");
  return globalReference === undefined ? undefined : compileGlobalReference(globalReference, context);
}
