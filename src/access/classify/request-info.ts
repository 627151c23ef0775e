import { parseQuery, type RequestTarget } from "./request-target.ts";
import { parseFieldSelector, parseLabelSelector } from "./selector-text.ts";

/** What kube-apiserver makes of a request before anything is authorized. */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  readonly path: string;
  readonly verb: string;
  readonly apiPrefix: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** The path from the resource on; undefined where the path ended before it. */
  readonly parts: readonly string[] | undefined;
  /** As sent, for the verbs on which the API server honours selectors. */
  readonly fieldSelector: string;
  readonly labelSelector: string;
  /** Why the path could not be understood; the API server answers 500. */
  readonly error?: string;
}

const verbsOfMethods: { readonly [method: string]: string } = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

const namespaceSubresources = new Set(["status", "finalize"]);
const selectorVerbs = new Set(["list", "watch", "deletecollection"]);

type Query = ReadonlyMap<string, readonly string[]>;

/** Anything but `false` and `0` is true, the empty value included. */
function isTrue(values: readonly string[] | undefined): boolean {
  return values !== undefined && !["false", "0"].includes((values[0] ?? "").toLowerCase());
}

const isInt64 = (text: string) => /^[+-]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);

/** The name that `fieldSelector=metadata.name=x` asks for; undefined when any list option cannot be read. */
function selectedName(query: Query): string | undefined {
  const first = (key: string) => query.get(key)?.[0];
  for (const key of ["limit", "timeoutSeconds"]) {
    const value = first(key);
    if (value !== undefined && !isInt64(value)) return undefined;
  }
  if (!parseLabelSelector(first("labelSelector") ?? "").ok) return undefined;
  const fields = parseFieldSelector(first("fieldSelector") ?? "");
  if (!fields.ok) return undefined;
  const name = fields.requirements.find((r) => r.key === "metadata.name" && r.operator !== "!=")?.values[0];
  return name === undefined || name === "." || name === ".." || /[/%]/.test(name) ? undefined : name;
}

function splitPath(path: string): string[] {
  const trimmed = path.replace(/^\/+|\/+$/g, "");
  return trimmed === "" ? [] : trimmed.split("/");
}

/**
 * The attributes of a request, exactly as kube-apiserver 1.36 derives them (pkg/endpoints/request/requestinfo.go).
 * The path is never normalised: a `..` is a segment like any other.
 */
export function requestInfo(method: string, target: RequestTarget): RequestInfo {
  const base: RequestInfo = {
    isResourceRequest: false,
    path: target.path,
    verb: method.toLowerCase(),
    apiPrefix: "",
    apiGroup: "",
    apiVersion: "",
    namespace: "",
    resource: "",
    subresource: "",
    name: "",
    parts: undefined,
    fieldSelector: "",
    labelSelector: "",
  };
  const segments = splitPath(target.path);
  const apiPrefix = segments[0] ?? "";
  if (segments.length < 3 || (apiPrefix !== "api" && apiPrefix !== "apis")) return base;
  const grouped = apiPrefix === "apis";
  if (grouped && segments.length < 4) return { ...base, apiPrefix };
  const found = { ...base, isResourceRequest: true, apiPrefix, apiGroup: grouped ? (segments[1] ?? "") : "" };
  const [apiVersion = "", ...rest] = segments.slice(grouped ? 2 : 1);
  return resourceRequest(method, target, { ...found, apiVersion }, rest);
}

function resourceRequest(method: string, target: RequestTarget, found: RequestInfo, rest: readonly string[]): RequestInfo {
  const verbInPath = rest[0] === "proxy" || rest[0] === "watch";
  if (verbInPath && rest.length < 2) {
    const url = target.rawQuery === "" ? target.path : `${target.path}?${target.rawQuery}`;
    return { ...found, error: `unable to determine kind and namespace from url, ${url}` };
  }
  const prefixVerb = verbInPath ? rest[0] : undefined;
  const path = verbInPath ? rest.slice(1) : rest;
  const isNamespaced = path[0] === "namespaces" && path.length > 1;
  const namespace = isNamespaced ? (path[1] ?? "") : "";
  const parts = isNamespaced && path.length > 2 && !namespaceSubresources.has(path[2] ?? "") ? path.slice(2) : path;
  const verb = prefixVerb ?? (Object.hasOwn(verbsOfMethods, method) ? (verbsOfMethods[method] ?? "") : "");
  const [resource = "", name = "", subresource = ""] = parts;
  const named = { ...found, namespace, parts, resource, name, subresource: prefixVerb === "proxy" ? "" : subresource };
  return withCollectionVerb({ ...named, verb }, parseQuery(target.rawQuery), verbInPath);
}

/** A request without a name is about the collection: get becomes list or watch, delete becomes deletecollection. */
function withCollectionVerb(info: RequestInfo, query: Query, verbInPath: boolean): RequestInfo {
  let { verb, name } = info;
  if (name === "" && verb === "get") {
    verb = isTrue(query.get("watch")) ? "watch" : "list";
    name = selectedName(query) ?? "";
  }
  if (name === "" && verb === "delete") verb = "deletecollection";
  const honoured = !verbInPath && selectorVerbs.has(verb);
  const selector = (key: string) => (honoured ? (query.get(key)?.[0] ?? "") : "");
  return { ...info, verb, name, fieldSelector: selector("fieldSelector"), labelSelector: selector("labelSelector") };
}
