import { asString, isArray, isObject, type JsonObject, type JsonPath, member } from "../../core/json.ts";
import { namespaceOf, parseApiVersion } from "../../core/kubernetes.ts";
import { type PolicyIssue, type PolicyView, type RuleView, refused } from "./policy-view.ts";

/** Targets of `generate` that are in no place where their kind can be; kinds that are not known are left to the cluster. */
export function generateRefusals(policy: PolicyView, { rule, path }: RuleView): readonly PolicyIssue[] {
  const { generate } = rule;
  if (!isObject(generate)) return [];
  const at = [...path, "generate"];
  const loops = isArray(generate["foreach"]) ? generate["foreach"] : undefined;
  const targets = loops?.map((loop, i) => [loop, [...at, "foreach", i]] as const) ?? [[generate, at] as const];
  return targets.flatMap(([target, place]) => (isObject(target) ? targetRefusals(policy, target, place) : []));
}

function targetRefusals(policy: PolicyView, target: JsonObject, path: JsonPath): readonly PolicyIssue[] {
  const list = target["cloneList"];
  if (isObject(list)) return listRefusals(policy, target, list, path);
  const kind = asString(target["kind"]) ?? "";
  return placeRefusals(policy, target, [isNamespaced(policy, asString(target["apiVersion"]) ?? "", kind)], kind, path);
}

function listRefusals(policy: PolicyView, target: JsonObject, list: JsonObject, path: JsonPath): readonly PolicyIssue[] {
  const kinds = isArray(list["kinds"]) ? list["kinds"].map((kind) => asString(kind) ?? "") : [];
  const scopes = kinds.map((text) => isNamespaced(policy, text.slice(0, text.lastIndexOf("/")), text.split("/").at(-1) ?? ""));
  if (scopes.includes(true) && scopes.includes(false)) {
    const message = "cloneList mixes kinds that are in namespaces with kinds that are not";
    return [refused([...path, "cloneList", "kinds"], message, "Write a rule for each.")];
  }
  if (scopes.includes(true) && !isFilled(list["namespace"])) {
    return [
      refused([...path, "cloneList"], `${kinds.join(", ")} are in a namespace, and none is named`, "Write cloneList.namespace."),
    ];
  }
  if (scopes.includes(false) && isFilled(list["namespace"])) {
    return [refused([...path, "cloneList", "namespace"], `${kinds.join(", ")} are in no namespace`, "Remove it.")];
  }
  return scopes.includes(true) ? placeRefusals(policy, target, scopes, kinds.join(", "), path) : [];
}

/** Where what is made is put. */
function placeRefusals(
  { document }: PolicyView,
  target: JsonObject,
  scopes: readonly (boolean | undefined)[],
  kind: string,
  path: JsonPath,
): readonly PolicyIssue[] {
  const namespace = asString(target["namespace"]) ?? "";
  if (scopes.includes(true) && namespace === "")
    return [refused(path, `${kind} is in a namespace, and none is named`, "Write namespace.")];
  if (scopes.includes(false) && namespace !== "")
    return [refused([...path, "namespace"], `${kind} is in no namespace`, "Remove it.")];
  const own = document.value.kind === "Policy" ? namespaceOf(document.value) || "default" : undefined;
  if (own === undefined) return [];
  const next = "Write a ClusterPolicy, or that namespace.";
  if (namespace !== own) return [refused(path, `a Policy generates in its own namespace (${own}) only`, next)];
  return ["clone", "cloneList"]
    .filter((source) => isObject(target[source]) && member(target[source], "namespace") !== own)
    .map((source) => refused([...path, source], `a Policy clones what is in its own namespace (${own}) only`, next));
}

const isFilled = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

/** Undefined for a kind that is not known. */
function isNamespaced({ schemas }: PolicyView, apiVersion: string, kind: string): boolean | undefined {
  const known = schemas.resources().byKind(parseApiVersion(apiVersion).group, kind);
  return known?.namespaced;
}
