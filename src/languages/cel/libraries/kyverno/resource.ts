import { isArray, isObject, type JsonValue, member } from "../../../../core/json.ts";
import { labelsOf } from "../../../../core/kubernetes.ts";
import type { FunctionDeclaration, Library, Outside } from "../../declarations.ts";
import { anyType, type CelType, mapOf, opaqueType, stringType } from "../../types.ts";
import { CelError, CelObject, type CelValue, Failure, type Value } from "../../values/value.ts";
import { ask, bodyOf, bothNames, ContextValue, outsideOverload, textOf, textsOf } from "./context-value.ts";

const contextType = opaqueType("resource.Context");
const gvrType = opaqueType("schema.GroupVersionResource");
const objectType = mapOf(stringType, anyType);
const textsType = mapOf(stringType, stringType);

/** What `toGVR` gives: names a resource to the other functions. */
class ResourceName extends CelObject {
  readonly apiVersion: string;
  readonly resource: string;

  constructor(apiVersion: string, resource: string) {
    super();
    this.apiVersion = apiVersion;
    this.resource = resource;
  }

  get type(): CelType {
    return gvrType;
  }

  equals(other: CelValue): boolean {
    return other instanceof ResourceName && other.apiVersion === this.apiVersion && other.resource === this.resource;
  }
}

/** Finds the plural of a kind; undefined where nobody knows it. */
export type ResourceNames = (apiVersion: string, kind: string) => string | undefined;

function apiPath(apiVersion: string, resource: string, namespace: string, name = ""): string {
  const [plural = "", ...subresources] = resource.split("/");
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === "" ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  const parts = [plural, name, ...subresources].filter((part) => part !== "").map(encodeURIComponent);
  return `${root}${scope}/${parts.join("/")}`;
}

/** A resource as two texts or as `toGVR` gave it, and the arguments behind it. */
function named(args: readonly CelValue[]): { apiVersion: string; resource: string; rest: readonly CelValue[] } {
  const [, first, second, ...rest] = args;
  if (first instanceof ResourceName) {
    return { apiVersion: first.apiVersion, resource: first.resource, rest: args.slice(2) };
  }
  return { apiVersion: textOf(first), resource: textOf(second), rest };
}

function getObject(outside: Outside, apiVersion: string, resource: string, namespace: string, name: string): Value {
  const path = apiPath(apiVersion, resource, namespace, name);
  return ask(outside, { kind: "api-call", method: "GET", path }, (fact) =>
    fact.notFound === true ? null : new CelError(`failed to get resource: ${fact.message}`),
  );
}

function selected(list: JsonValue, labels: { readonly [key: string]: string }): JsonValue {
  const items = member(list, "items");
  const wanted = Object.entries(labels);
  if (!isObject(list) || !isArray(items)) return list;
  if (wanted.length === 0) return list;
  const fits = (item: JsonValue) => {
    const actual = labelsOf({ apiVersion: "", kind: "", metadata: metadataOf(item) });
    return wanted.every(([key, value]) => actual[key] === value);
  };
  return { ...list, items: items.filter(fits) };
}

function metadataOf(item: JsonValue): { readonly [key: string]: JsonValue | undefined } {
  const metadata = member(item, "metadata");
  return isObject(metadata) ? metadata : {};
}

function listObjects(
  outside: Outside,
  apiVersion: string,
  resource: string,
  namespace: string,
  labels: CelValue | undefined,
): Value {
  const path = apiPath(apiVersion, resource, namespace);
  const list = ask(
    outside,
    { kind: "api-call", method: "GET", path },
    (fact) => new CelError(`failed to list resource: ${fact.message}`),
  );
  if (list instanceof Failure || !isObjectValue(list)) return list;
  const named = withKinds(list);
  return labels === undefined ? named : selected(named, textsOf(labels));
}

/** The API server says of the items of a list what they are once, for all; Kyverno's client gives it to each. */
function withKinds(list: JsonValue): JsonValue {
  const { apiVersion, kind, items } = isObject(list) ? list : {};
  if (!isObject(list) || !isArray(items) || typeof kind !== "string" || !kind.endsWith("List")) return list;
  const given = { apiVersion, kind: kind.slice(0, -"List".length) };
  return { ...list, items: items.map((item) => (isObject(item) ? { ...given, ...item } : item)) };
}

const isObjectValue = (value: Value): value is JsonValue & object =>
  typeof value === "object" && value !== null && !(value instanceof Failure) && !(value instanceof CelObject);

function postObject(
  outside: Outside,
  apiVersion: string,
  resource: string,
  namespace: string,
  data: CelValue | undefined,
): Value {
  const body = bodyOf(data);
  if (body instanceof CelError) return body;
  const path = apiPath(apiVersion, resource, namespace);
  return ask(
    outside,
    { kind: "api-call", method: "POST", path, body },
    (fact) => new CelError(`failed to create resource: ${fact.message}`),
  );
}

/** The arguments that name a namespace; those of a namespaced policy have none. */
function scoped(namespace: string, types: readonly CelType[]): readonly CelType[] {
  return namespace === "" ? [stringType, ...types] : types;
}

function functions(namespace: string, plurals: ResourceNames): readonly FunctionDeclaration[] {
  const split = (rest: readonly CelValue[]) =>
    namespace === "" ? { where: textOf(rest[0]), others: rest.slice(1) } : { where: namespace, others: rest };
  const get = (args: readonly CelValue[], outside: Outside) => {
    const { apiVersion, resource, rest } = named(args);
    const { where, others } = split(rest);
    return getObject(outside, apiVersion, resource, where, textOf(others[0]));
  };
  const list = (args: readonly CelValue[], outside: Outside) => {
    const { apiVersion, resource, rest } = named(args);
    const { where, others } = split(rest);
    return listObjects(outside, apiVersion, resource, where, others[0]);
  };
  const post = (args: readonly CelValue[], outside: Outside) => {
    const { apiVersion, resource, rest } = named(args);
    // Without a namespace the last argument is the object all the same.
    const where = namespace === "" ? (rest.length > 1 ? textOf(rest[0]) : "") : namespace;
    return postObject(outside, apiVersion, resource, where, rest.at(-1));
  };
  const toName = ([, apiVersion, kind]: readonly CelValue[]): Value => {
    const plural = plurals(textOf(apiVersion), textOf(kind));
    if (plural === undefined) return new CelError(`failed to map kind to resource: no matches for kind ${JSON.stringify(kind)}`);
    return new ResourceName(textOf(apiVersion), plural);
  };
  const plain = [contextType, stringType, stringType];
  const byName = [contextType, gvrType];
  return [
    ...bothNames(["Get", "get"], (suffix) => [
      outsideOverload(`resource_get_strings_${suffix}`, [...plain, ...scoped(namespace, [stringType])], objectType, get),
      outsideOverload(`resource_get_gvr_${suffix}`, [...byName, ...scoped(namespace, [stringType])], objectType, get),
    ]),
    ...bothNames(["List", "list"], (suffix) => [
      outsideOverload(`resource_list_strings_${suffix}`, [...plain, ...scoped(namespace, [])], objectType, list),
      outsideOverload(`resource_list_strings_map_${suffix}`, [...plain, ...scoped(namespace, [textsType])], objectType, list),
      outsideOverload(`resource_list_gvr_${suffix}`, [...byName, ...scoped(namespace, [])], objectType, list),
      outsideOverload(`resource_list_gvr_map_${suffix}`, [...byName, ...scoped(namespace, [textsType])], objectType, list),
    ]),
    ...bothNames(["Post", "post"], (suffix) => [
      ...(namespace === ""
        ? [outsideOverload(`resource_post_strings_${suffix}`, [...plain, stringType, objectType], objectType, post)]
        : []),
      outsideOverload(`resource_post_map_${suffix}`, [...plain, objectType], objectType, post),
    ]),
    ...bothNames(["ToGVR", "toGVR"], (suffix) => [outsideOverload(`resource_to_gvr_${suffix}`, plain, gvrType, toName)]),
  ];
}

/** `resource`: objects of the cluster; a policy of one namespace sees only that. */
export function resourceLibrary(namespace: string, plurals: ResourceNames): Library {
  return {
    name: `kyverno.resource/${namespace}`,
    variables: [{ name: "resource", type: contextType, value: new ContextValue(contextType) }],
    functions: functions(namespace, plurals),
  };
}
