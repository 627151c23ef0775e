import { isArray, isObject, type JsonValue } from "../../../src/core/json.ts";
import { callOf, fieldsOf, goName, listOf } from "./go-literal.ts";
import { NotData } from "./go-schema.ts";

/** Fields whose JSON names are not theirs with a small first letter. */
const names: { readonly [field: string]: string } = {
  ObjectMeta: "metadata",
  APIVersion: "apiVersion",
  IP: "ip",
  UID: "uid",
  APIGroup: "apiGroup",
  APIGroups: "apiGroups",
  APIVersions: "apiVersions",
  JSONPatch: "jsonPatch",
};

/** Structs whose fields stand among those of the struct that they are in. */
const inlined = new Set(["TypeMeta", "RuleWithOperations", "Rule"]);

/** Constants by the end of their names. */
const constants: { readonly [name: string]: JsonValue } = {
  Create: "CREATE",
  Update: "UPDATE",
  allScopes: "*",
  Exact: "Exact",
  Equivalent: "Equivalent",
  PatchTypeApplyConfiguration: "ApplyConfiguration",
  PatchTypeJSONPatch: "JSONPatch",
  RollingUpdateDeploymentStrategyType: "RollingUpdate",
};

function jsonName(field: string): string {
  return names[field] ?? field.charAt(0).toLowerCase() + field.slice(1);
}

/** A literal of a Go struct of Kubernetes as the JSON it is serialized to. */
export function structJson(value: JsonValue | undefined): JsonValue {
  if (value === undefined || value === null) return null;
  if (isArray(value)) return value.map(structJson);
  if (!isObject(value)) return value;
  const call = callOf(value);
  if (call?.name.startsWith("ptr.To") || call?.name.startsWith("pointer.")) return structJson(call.args[0]);
  if (value["$ptr.To"] !== undefined) return structJson(value["$ptr.To"]);
  const constant = goName(value)?.split(".").at(-1) ?? "";
  if (Object.hasOwn(constants, constant)) return constants[constant] ?? null;
  if (goName(value) === "nilUnstructured" || (call?.name === "runtime.Object" && goName(call.args[0]) === "nilUnstructured"))
    return null;
  if (call !== undefined || goName(value) !== undefined) throw new NotData(`${call?.name ?? goName(value)} is not known`);
  if (value["$int64"] !== undefined) return structJson(value["$int64"]);
  const isStruct = value["$type"] !== undefined && !String(value["$type"]).startsWith("[]");
  if (value["$elts"] !== undefined) return isStruct ? {} : listOf(value).map(structJson);
  const isMap = String(value["$type"] ?? "").startsWith("map[");
  const members = Object.entries(fieldsOf(value)).flatMap(([name, inner]): readonly (readonly [string, JsonValue])[] => {
    if (inner === undefined) return [];
    const json = structJson(inner);
    if (inlined.has(name) && isObject(json))
      return Object.entries(json).flatMap(([key, one]) => (one === undefined ? [] : [[key, one]]));
    return [[isMap ? name : jsonName(name), json]];
  });
  return Object.fromEntries(members);
}
