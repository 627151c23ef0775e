import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { GoExpression } from "./go-data.ts";

const constants: { readonly [name: string]: JsonValue } = {
  Wildcard: "*",
  "admissionv1.Create": "CREATE",
  "admissionv1.Update": "UPDATE",
  "admissionv1.Delete": "DELETE",
  "admissionv1.Connect": "CONNECT",
  "admissionregistrationv1.Create": "CREATE",
  "admissionregistrationv1.Update": "UPDATE",
  "admissionregistrationv1.Delete": "DELETE",
  "admissionregistrationv1.Connect": "CONNECT",
  "admissionregistrationv1.OperationAll": "*",
  "apiextensionsv1.NamespaceScoped": "Namespaced",
  "apiextensionsv1.ClusterScoped": "Cluster",
  "types.SourceTypeOriginal": "Original",
  "types.SourceTypeGenerated": "Generated",
  "types.SourceTypeAll": "All",
  "types.SourceTypeDefault": "All",
  "path.MustExist": "MustExist",
  "path.MustNotExist": "MustNotExist",
  MustExist: "MustExist",
  MustNotExist: "MustNotExist",
  ErrMatch: "ErrMatch",
  ErrMatching: "ErrMatching",
  ErrUnexpectedToken: "ErrUnexpectedToken",
  ErrTrailingSeparator: "ErrTrailingSeparator",
  ErrInvalidInteger: "ErrInvalidInteger",
};

type Call = (args: readonly JsonValue[]) => JsonValue;

const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

function object(gvk: JsonValue | undefined, metadata: JsonObject): JsonObject {
  const { Group: group, Version: version, Kind: kind } = isObject(gvk) ? gvk : {};
  const apiVersion = text(group) === "" ? text(version) : `${text(group)}/${text(version)}`;
  return { apiVersion, kind: text(kind), metadata };
}

const labelled = (labels: JsonValue | undefined): JsonObject => (isObject(labels) ? { labels } : {});

/** The helper functions that rows call, as the tests beside the tables define them. */
const calls: { readonly [name: string]: Call } = {
  Wildcard: ([value]) => value ?? null,
  makeValue: ([value]) => ({ value: value ?? null }),
  makeObject: ([gvk, namespace, name, labels]) =>
    object(gvk, { ...(text(namespace) === "" ? {} : { namespace: text(namespace) }), name: text(name), ...labelled(labels) }),
  makeObjectWithGenerateName: ([gvk, namespace, generateName]) =>
    object(gvk, { namespace: text(namespace), generateName: text(generateName) }),
  makeNamespace: ([name, labels]) => object({ Version: "v1", Kind: "Namespace" }, { name: text(name), ...labelled(labels) }),
  makeResource: ([gvk, name, labels]) => object(gvk, { name: text(name), ...labelled(labels) }),
  newPodNoImage: () => ({
    apiVersion: "v1",
    kind: "Foo",
    metadata: { name: "my-pod" },
    spec: { containers: [{ name: "foo" }] },
  }),
  podTest: ([image]) => image ?? null,
  newObj: ([value, ...path]) => path.reduceRight<JsonValue>((inner, step) => ({ [text(step)]: inner }), value ?? null),
};

/** A function that only sets labels stands for them. */
function labelsSet(source: string): JsonObject {
  const body = /SetLabels\(map\[string\]string\{([^}]*)\}\)/.exec(source)?.[1];
  if (body === undefined) throw new GoExpression(source);
  return Object.fromEntries(
    [...body.matchAll(/"([^"]*)":\s*"([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value] as const),
  );
}

/** The plain value behind a row's Go literals. @throws GoExpression */
export function gatekeeperPlain(value: JsonValue | undefined): JsonValue {
  if (isArray(value)) return value.map(gatekeeperPlain);
  if (!isObject(value)) return value ?? null;
  const { $go, $call, $func, $elts, $type, args, ...members } = value;
  if (typeof $go === "string") {
    if (Object.hasOwn(constants, $go)) return constants[$go] ?? null;
    throw new GoExpression($go);
  }
  if (typeof $func === "string") return labelsSet($func);
  if (typeof $call === "string") {
    const call = Object.hasOwn(calls, $call) ? calls[$call] : undefined;
    if (call === undefined) throw new GoExpression(`${$call}(...)`);
    return call((isArray(args) ? args : []).map(gatekeeperPlain));
  }
  if (isArray($elts)) return $elts.length === 0 ? {} : $elts.map(gatekeeperPlain);
  const all = $type === undefined && args !== undefined ? { ...members, args } : members;
  return Object.fromEntries(Object.entries(all).map(([key, member]) => [key, gatekeeperPlain(member)]));
}

/** The names of a Go struct's fields as JSON has them. */
export function fieldsAsJson(value: JsonValue, names: { readonly [field: string]: string }): JsonValue {
  if (isArray(value)) return value.map((item) => fieldsAsJson(item, names));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const inner = key === "ApplyTo" ? fieldsAsJson(member ?? null, names) : undefined;
      if (isObject(inner)) return Object.entries(inner);
      return [[names[key] ?? key, fieldsAsJson(member ?? null, names)]];
    }),
  );
}

/** Fields of Match, ApplyTo, PathTest and LabelSelector. */
export const matchFields: { readonly [field: string]: string } = {
  Kinds: "kinds",
  APIGroups: "apiGroups",
  Groups: "groups",
  Versions: "versions",
  Operations: "operations",
  Namespaces: "namespaces",
  ExcludedNamespaces: "excludedNamespaces",
  LabelSelector: "labelSelector",
  NamespaceSelector: "namespaceSelector",
  MatchLabels: "matchLabels",
  MatchExpressions: "matchExpressions",
  Key: "key",
  Operator: "operator",
  Values: "values",
  Scope: "scope",
  Name: "name",
  Source: "source",
  SubPath: "subPath",
  Condition: "condition",
};
