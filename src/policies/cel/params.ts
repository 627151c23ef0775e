import type { ApiResources } from "../../core/api-resources.ts";
import { type ObjectsNeed, requireFact } from "../../core/facts.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { parseApiVersion } from "../../core/kubernetes.ts";
import type { RuleContext } from "../policy.ts";

const noParams = "no params found for policy binding with `Deny` parameterNotFoundAction";

function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The namespace in which parameters are looked for. @throws Error where it cannot be said */
function namespaceFor(apiVersion: string, kind: string, ref: JsonValue, resources: ApiResources, requested: string): string {
  const { group } = parseApiVersion(apiVersion);
  const given = asString(member(ref, "namespace")) ?? "";
  if (resources.byKind(group, kind)?.namespaced === false) {
    if (given !== "") throw new Error("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
    return "";
  }
  const namespace = given || requested;
  if (namespace === "") throw new Error("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
  return namespace;
}

/**
 * The objects that `params` stands for, one evaluation each: as `paramKind` and `paramRef` name them. Null: the policy has none.
 * @param namespace of the request
 * @throws NeedsFacts; Error with the reason in the API server's words
 */
export function collectParams(
  paramKind: JsonValue | undefined,
  paramRef: JsonValue | undefined,
  namespace: string,
  { facts, resources }: RuleContext,
): readonly (JsonObject | null)[] {
  if (!isObject(paramKind)) return [null];
  if (!isObject(paramRef)) return [null];
  const apiVersion = asString(paramKind["apiVersion"]) ?? "";
  const objectKind = asString(paramKind["kind"]) ?? "";
  const name = asString(paramRef["name"]) ?? "";
  const selector = asObject(paramRef["selector"]);
  if (name !== "" && selector !== undefined) throw new Error("paramRef.name and paramRef.selector are mutually exclusive");
  if (name === "" && selector === undefined) throw new Error("one of name or selector must be provided");
  const need: ObjectsNeed = {
    kind: "objects",
    apiVersion,
    objectKind,
    subresource: "",
    namespace: namespaceFor(apiVersion, objectKind, paramRef, resources, namespace),
    name,
    certain: true,
    ...(selector === undefined ? {} : { selector }),
  };
  const found = requireFact(facts, need);
  const objects = isArray(found) ? found.filter(isObject) : [];
  if (objects.length === 0 && paramRef["parameterNotFoundAction"] === "Deny") throw new Error(noParams);
  return objects;
}
