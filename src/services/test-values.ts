import type { Subject } from "../core/action.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../core/json.ts";
import type { Labels } from "../core/label-selector.ts";
import { mergeInto } from "../policies/kyverno/scope.ts";

/** Values that a test gives for variables that only a cluster knows. */
export interface TestValues {
  /** By dotted name, for one policy and one resource. */
  forResource(policy: string, resource: string): ReadonlyMap<string, JsonValue>;
  /** By dotted name, for one rule; generated rules share those of the rule that they come from. */
  forRule(policy: string, rule: string): ReadonlyMap<string, JsonValue>;
  readonly namespaceLabels: ReadonlyMap<string, Labels>;
  /** Namespaces given in full, by name. */
  readonly namespaces: ReadonlyMap<string, JsonValue>;
  readonly subresources: readonly TestSubresource[];
}

/** Objects of this kind stand for a subresource of another kind. */
export interface TestSubresource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly subresource: string;
  readonly parent: { readonly group: string; readonly version: string; readonly kind: string };
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const textOf = (value: JsonValue | undefined): string => asString(value) ?? "";
const entriesOf = (value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] =>
  isObject(value) ? Object.entries(value).map(([k, v]) => [k, v ?? null]) : [];
const named = (items: JsonValue | undefined, name: string): readonly JsonValue[] =>
  listOf(items).filter((item) => member(item, "name") === name);

function labelsOfValue(value: JsonValue | undefined): Labels {
  return Object.fromEntries(entriesOf(value).map(([k, v]) => [k, String(v)]));
}

/** Namespaces given in full win over bare selectors. */
function readNamespaces(values: JsonObject): ReadonlyMap<string, Labels> {
  const labels = new Map<string, Labels>();
  for (const entry of listOf(values["namespaceSelector"])) {
    labels.set(textOf(member(entry, "name")), labelsOfValue(member(entry, "labels")));
  }
  for (const entry of listOf(values["namespaces"])) {
    const metadata = member(entry, "metadata");
    labels.set(textOf(member(metadata, "name")), labelsOfValue(member(metadata, "labels")));
  }
  return labels;
}

function readSubresource(entry: JsonValue): TestSubresource {
  const sub = member(entry, "subresource");
  const parent = member(entry, "parentResource");
  return {
    group: textOf(member(sub, "group")),
    version: textOf(member(sub, "version")),
    kind: textOf(member(sub, "kind")),
    subresource: textOf(member(sub, "name")).split("/")[1] ?? "",
    parent: {
      group: textOf(member(parent, "group")),
      version: textOf(member(parent, "version")),
      kind: textOf(member(parent, "kind")),
    },
  };
}

/** Reads values as the Kyverno command line does; `values` is a file's content or a test's own `values`. */
export function readTestValues(values: JsonObject): TestValues {
  const policies = listOf(values["policies"]);
  return {
    forResource(policy, resource) {
      const own = named(policies, policy).flatMap((p) => named(member(p, "resources"), resource));
      return new Map([...entriesOf(values["globalValues"]), ...own.flatMap((r) => entriesOf(member(r, "values")))]);
    },
    forRule(policy, rule) {
      const [entry] = named(policies, policy)
        .flatMap((p) => listOf(member(p, "rules")))
        .filter((r) => {
          const name = textOf(member(r, "name"));
          return rule === name || rule === `autogen-${name}` || rule === `autogen-cronjob-${name}`;
        });
      const loops = entriesOf(member(entry, "foreachValues")).map(([key, items]) => [key, listOf(items)[0] ?? null] as const);
      return new Map([...entriesOf(member(entry, "values")), ...loops]);
    },
    namespaceLabels: readNamespaces(values),
    namespaces: new Map(listOf(values["namespaces"]).map((n) => [textOf(member(member(n, "metadata"), "name")), n])),
    subresources: listOf(values["subresources"]).map(readSubresource),
  };
}

/** The parts of a dotted name; a part in double quotes may hold dots. */
function splitName(name: string): readonly string[] {
  const parts: string[] = [];
  let part = "";
  let quoted = false;
  for (const char of name) {
    if (char === '"') quoted = !quoted;
    else if (char === "." && !quoted) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  return [...parts, part];
}

/** `{"a.b": 1}` as `{a: {b: 1}}`. */
export function nested(values: ReadonlyMap<string, JsonValue>): JsonObject {
  let result: JsonValue = {};
  for (const [name, value] of values) {
    const branch = splitName(name).reduceRight<JsonValue>((inner, part) => ({ [part]: inner }), value);
    result = mergeInto(result, branch);
  }
  return isObject(result) ? result : {};
}

const stringsOf = (value: JsonValue | undefined): readonly string[] => listOf(value).filter((v) => typeof v === "string");

/** Reads a `UserInfo` file: who acts, and the roles they are known to have. */
export function readUserInfo(value: JsonValue): Subject {
  const info = member(value, "userInfo");
  const extra = entriesOf(member(info, "extra")).map(([k, v]) => [k, stringsOf(v)] as const);
  return {
    user: textOf(member(info, "username")),
    groups: stringsOf(member(info, "groups")),
    roles: stringsOf(member(value, "roles")),
    clusterRoles: stringsOf(member(value, "clusterRoles")),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}
