import type { Operation } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { containsWildcard } from "../../core/wildcard.ts";
import { resourceOf } from "../../policies/cel/resource-name.ts";
import { parseKindSelector } from "../../policies/kyverno/kind-selector.ts";
import type { KindSelector } from "../../policies/policy.ts";
import {
  allOf,
  always,
  anyOf,
  type CelText,
  fitsWildcard,
  hasMember,
  NotConvertible,
  not,
  quoted,
  relation,
} from "./cel-text.ts";

/** Which requests a rule is about: resource rules, and the rest as conditions. */
export interface ConvertedMatch {
  readonly resourceRules: readonly JsonObject[];
  readonly conditions: readonly { readonly name: string; readonly expression: string }[];
  /** Whether deletions are among the operations: then the object is the old one. */
  readonly deletes: boolean;
  /** What could not be known for sure. */
  readonly assumptions: readonly string[];
}

const strings = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((v) => typeof v === "string") : [];
const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const isFilled = (value: JsonValue | undefined): boolean =>
  isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;

/** One filter of `any` or `all`, or the old form without either. */
interface Filter {
  readonly kinds: readonly KindSelector[];
  readonly operations: readonly string[];
  readonly condition: CelText;
}

interface Names {
  /** The object that is judged, whatever is done to it. */
  readonly object: string;
  readonly role: "match" | "exclude";
}

function anyText(value: string, patterns: readonly string[]): CelText {
  if (patterns.length > 1 && !patterns.some(containsWildcard)) {
    return relation(`${value} in [${patterns.map(quoted).join(", ")}]`);
  }
  return anyOf(...patterns.map((pattern) => fitsWildcard(value, pattern)));
}

function labelsCondition(labels: string, selector: JsonValue): CelText {
  const has = (key: string) => relation(`${quoted(key)} in ${labels}`);
  const value = (key: string) => `${labels}[${quoted(key)}]`;
  const matchLabels = member(selector, "matchLabels");
  const equal = Object.entries(isObject(matchLabels) ? matchLabels : {}).map(([key, wanted]) => {
    if (containsWildcard(key)) throw new NotConvertible(`the label ${key} of a selector holds a wildcard`);
    return allOf(has(key), fitsWildcard(value(key), String(wanted)));
  });
  const expressions = listOf(member(selector, "matchExpressions")).map((requirement): CelText => {
    const key = asString(member(requirement, "key")) ?? "";
    const values = strings(member(requirement, "values"));
    if ([key, ...values].some(containsWildcard)) throw new NotConvertible("a selector's expression holds a wildcard");
    const within = relation(`${value(key)} in [${values.map(quoted).join(", ")}]`);
    switch (member(requirement, "operator")) {
      case "In":
        return allOf(has(key), within);
      case "NotIn":
        return not(allOf(has(key), within));
      case "Exists":
        return has(key);
      case "DoesNotExist":
        return not(has(key));
      default:
        throw new NotConvertible("a selector has an operator that does not exist");
    }
  });
  return allOf(...equal, ...expressions);
}

function annotationsCondition(object: string, annotations: JsonValue): CelText {
  const actual = `${object}.metadata.?annotations.orValue({})`;
  const parts = Object.entries(isObject(annotations) ? annotations : {}).map(([key, value]) => {
    if (containsWildcard(key)) throw new NotConvertible(`the annotation ${key} of a match holds a wildcard`);
    return allOf(relation(`${quoted(key)} in ${actual}`), fitsWildcard(`${actual}[${quoted(key)}]`, String(value)));
  });
  return allOf(...parts);
}

function namespacesCondition(object: string, patterns: readonly string[], kinds: readonly KindSelector[]): CelText {
  const mayBeNamespace = kinds.length === 0 || kinds.some(({ kind }) => kind === "Namespace" || kind === "*");
  const own = anyText(`${object}.metadata.?namespace.orValue('')`, patterns);
  if (!mayBeNamespace) return own;
  const name = anyText(`${object}.metadata.name`, patterns);
  if (kinds.every(({ kind }) => kind === "Namespace") && kinds.length > 0) return name;
  return { text: `request.kind.kind == 'Namespace' ? ${name.text} : ${own.text}`, level: "ternary" };
}

function subjectCondition(subject: JsonValue): CelText {
  const name = asString(member(subject, "name")) ?? "";
  switch (member(subject, "kind")) {
    case "User":
      return fitsWildcard("request.userInfo.username", name);
    case "ServiceAccount": {
      const namespace = asString(member(subject, "namespace")) ?? "";
      return fitsWildcard("request.userInfo.username", `system:serviceaccount:${namespace}:${name}`);
    }
    case "Group": {
      const groups = "request.userInfo.?groups.orValue([])";
      if (!containsWildcard(name)) return relation(`${quoted(name)} in ${groups}`);
      return { text: `${groups}.exists(g, ${fitsWildcard("g", name).text})`, level: "primary" };
    }
    default:
      throw new NotConvertible("a subject is neither User, Group nor ServiceAccount");
  }
}

/** Without a known user, as in background scans, a match drops its conditions on the user, and an exclude does not hold. */
function userCondition(filter: JsonValue, { role }: Names): CelText {
  for (const field of ["roles", "clusterRoles"]) {
    if (isFilled(member(filter, field))) {
      throw new NotConvertible(`${role} asks for the user's ${field}, which CEL policies cannot look up`);
    }
  }
  const subjects = listOf(member(filter, "subjects"));
  if (subjects.length === 0) return always;
  const known = hasMember("request.userInfo", "username");
  const condition = anyOf(...subjects.map(subjectCondition));
  return role === "match" ? anyOf(not(known), condition) : allOf(known, condition);
}

function readFilter(filter: JsonValue, names: Names): Filter {
  const { object } = names;
  const resources = member(filter, "resources");
  const kinds = strings(member(resources, "kinds")).map(parseKindSelector);
  const generated = `${object}.metadata.?name.orValue(${object}.metadata.?generateName.orValue(''))`;
  const nameList = [
    ...strings(member(resources, "names")),
    ...[asString(member(resources, "name")) ?? ""].filter((n) => n !== ""),
  ];
  const namespaces = strings(member(resources, "namespaces"));
  const parts: CelText[] = [];
  if (nameList.length > 0) parts.push(anyText(generated, nameList));
  if (namespaces.length > 0) parts.push(namespacesCondition(object, namespaces, kinds));
  const annotations = member(resources, "annotations");
  if (isFilled(annotations) && annotations !== undefined) parts.push(annotationsCondition(object, annotations));
  const selector = member(resources, "selector");
  if (isObject(selector)) parts.push(labelsCondition(`${object}.metadata.?labels.orValue({})`, selector));
  const namespaceSelector = member(resources, "namespaceSelector");
  if (isObject(namespaceSelector)) {
    if (kinds.length === 0 || kinds.some(({ kind }) => kind === "Namespace" || kind === "*")) {
      throw new NotConvertible("a namespaceSelector stands beside namespaces themselves");
    }
    const labels = "(namespaceObject == null ? {} : namespaceObject.metadata.?labels.orValue({}))";
    parts.push(labelsCondition(labels, namespaceSelector));
  }
  const operations = strings(member(resources, "operations"));
  return { kinds, operations, condition: allOf(...parts, userCondition(filter, names)) };
}

interface Block {
  readonly filters: readonly Filter[];
  readonly join: "any" | "all";
}

function readBlock(block: JsonValue | undefined, names: Names): Block {
  for (const join of ["any", "all"] as const) {
    const filters = listOf(member(block, join));
    if (filters.length > 0) return { filters: filters.map((filter) => readFilter(filter, names)), join };
  }
  const legacy =
    isObject(block) &&
    (isFilled(block["resources"]) || isFilled(block["subjects"]) || isFilled(block["clusterRoles"]) || isFilled(block["roles"]));
  return { filters: legacy && block !== undefined ? [readFilter(block, names)] : [], join: "any" };
}

/** Whether the request is about one of the kinds. */
function kindCondition(kinds: readonly KindSelector[]): CelText {
  if (kinds.length === 0) return always;
  const plain = kinds.every(({ group, version, subresource }) => group === "*" && version === "*" && subresource === "");
  if (plain)
    return anyText(
      "request.kind.kind",
      kinds.map(({ kind }) => kind),
    );
  return anyOf(
    ...kinds.map(({ group, version, kind, subresource }) => {
      if (subresource !== "") throw new NotConvertible(`${kind}/${subresource} is one of several filters`);
      return allOf(
        fitsWildcard("request.kind.group", group),
        fitsWildcard("request.kind.version", version),
        fitsWildcard("request.kind.kind", kind),
      );
    }),
  );
}

function operationCondition(operations: readonly string[]): CelText {
  return operations.length === 0 ? always : anyText("request.operation", operations);
}

interface Found {
  readonly rules: readonly JsonObject[];
  readonly assumption?: string;
}

function rulesFor(
  { group, version, kind, subresource }: KindSelector,
  operations: readonly string[],
  resources: ApiResources,
): Found {
  const rule = (apiGroup: string, names: readonly string[]): JsonObject => ({
    apiGroups: [apiGroup],
    apiVersions: [version],
    operations,
    resources: names,
  });
  if (subresource !== "" && subresource !== "*" && containsWildcard(subresource)) {
    throw new NotConvertible(`the subresource ${subresource} holds a wildcard`);
  }
  if (kind === "*") {
    if (subresource === "") return { rules: [rule(group, ["*"])] };
    return { rules: [rule(group, [subresource === "*" ? "*/*" : `*/${subresource}`])] };
  }
  if (containsWildcard(kind) || (containsWildcard(group) && group !== "*") || (containsWildcard(version) && version !== "*")) {
    throw new NotConvertible(`the kind ${kind} is named with a wildcard`);
  }
  if (subresource === "*") throw new NotConvertible(`all subresources of ${kind} are meant`);
  const served = resources.all().filter((r) => r.kind === kind && (group === "*" || r.group === group));
  const suffix = subresource === "" ? "" : `/${subresource}`;
  if (served.length === 0) {
    const guessed = resourceOf({ group, kind, resource: "" }, resources);
    return {
      rules: [rule(group, [`${guessed}${suffix}`])],
      assumption: `the resource of ${kind} is called ${guessed}${group === "*" ? ", in whatever group" : ""}`,
    };
  }
  const groups = new Map(served.map((r) => [r.group, r.resource]));
  return {
    rules: [...groups].map(([apiGroup, plural]) => {
      // Kyverno takes ephemeral containers for a part of their pod.
      const extra = kind === "Pod" && apiGroup === "" && subresource === "" ? ["pods/ephemeralcontainers"] : [];
      return rule(apiGroup, [`${plural}${suffix}`, ...extra]);
    }),
  };
}

/** Rules for the same groups, versions and operations become one. */
function merged(rules: readonly JsonObject[]): readonly JsonObject[] {
  const byKey = Map.groupBy(rules, ({ apiGroups, apiVersions, operations }) =>
    JSON.stringify([apiGroups, apiVersions, operations]),
  );
  return [...byKey.values()].map((group) => ({
    ...group[0],
    resources: [...new Set(group.flatMap((rule) => strings(rule["resources"])))],
  }));
}

const allOperations: readonly Operation[] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/**
 * `match` and `exclude` of a rule. `operations` are those in which the rule can say anything.
 * @throws NotConvertible
 */
export function convertMatch(rule: JsonObject, operations: readonly Operation[], resources: ApiResources): ConvertedMatch {
  const object = operations.includes("DELETE") ? "(object != null ? object : oldObject)" : "object";
  const { filters, join } = readBlock(rule["match"], { object, role: "match" });
  if (filters.length === 0) throw new NotConvertible("the rule matches nothing");
  if (join === "all" && filters.length > 1) throw new NotConvertible("match.all joins several filters");
  if (filters.some((f) => f.kinds.length === 0)) throw new NotConvertible("a match names no kinds");
  const wantedOf = (filter: Filter) => operations.filter((o) => filter.operations.length === 0 || filter.operations.includes(o));
  const found = filters.flatMap((filter) => filter.kinds.map((kind) => rulesFor(kind, wantedOf(filter), resources)));
  const rules = merged(found.flatMap((f) => f.rules)).filter((r) => listOf(r["operations"]).length > 0);
  if (rules.length === 0) throw new NotConvertible("the rule is about operations in which it says nothing");
  const [only, second] = filters;
  const matched =
    only !== undefined && second === undefined
      ? only.condition
      : filters.every((f) => f.condition.text === always.text && f.operations.length === 0)
        ? always
        : anyOf(...filters.map((f) => allOf(kindCondition(f.kinds), operationCondition(f.operations), f.condition)));
  const excludeBlock = readBlock(rule["exclude"], { object, role: "exclude" });
  const excluded = excludeBlock.filters.map((f) => allOf(kindCondition(f.kinds), operationCondition(f.operations), f.condition));
  const leavesOut = excludeBlock.join === "all" ? allOf(...excluded) : anyOf(...excluded);
  const conditions = [
    ...(matched.text === always.text ? [] : [{ name: "matched", expression: matched.text }]),
    ...(excluded.length === 0 ? [] : [{ name: "not-excluded", expression: not(leavesOut).text }]),
  ];
  const assumptions = [...new Set(found.flatMap((f) => f.assumption ?? []))];
  const deletes = rules.some((r) => listOf(r["operations"]).includes("DELETE"));
  return { resourceRules: rules, conditions, deletes, assumptions };
}

export { allOperations };
