import type { Instant } from "./host.ts";
import { asString, isObject, type JsonObject, type JsonValue, member } from "./json.ts";

export interface GroupVersionKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface ObjectMeta extends JsonObject {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations?: { readonly [key: string]: string };
}

/** An object as the API server shows it. Members are read through checks: input may be of any shape. */
export interface KubernetesObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: ObjectMeta;
}

/** Says which object a finding or a record is about. */
export interface ResourceRef extends GroupVersionKind {
  /** Empty for cluster-scoped objects and for objects that name none. */
  readonly namespace: string;
  readonly name: string;
}

export function isKubernetesObject(value: JsonValue | undefined): value is KubernetesObject {
  return isObject(value) && typeof value["apiVersion"] === "string" && typeof value["kind"] === "string" && value["kind"] !== "";
}

export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf("/");
  return slash < 0
    ? { group: "", version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export function gvkOf(object: KubernetesObject): GroupVersionKind {
  return { ...parseApiVersion(object.apiVersion), kind: object.kind };
}

export function groupOf(object: KubernetesObject): string {
  return parseApiVersion(object.apiVersion).group;
}

export function nameOf(object: KubernetesObject): string {
  return asString(member(object.metadata, "name")) ?? "";
}

export function namespaceOf(object: KubernetesObject): string {
  return asString(member(object.metadata, "namespace")) ?? "";
}

function stringMap(value: JsonValue | undefined): { readonly [key: string]: string } {
  if (!isObject(value)) return {};
  const entries = Object.entries(value).filter((e): e is [string, string] => typeof e[1] === "string");
  return entries.length === Object.keys(value).length
    ? (value as { readonly [key: string]: string })
    : Object.fromEntries(entries);
}

/** Labels that are strings; anything else an invalid object carries is left out. */
export function labelsOf(object: KubernetesObject): { readonly [key: string]: string } {
  return stringMap(member(object.metadata, "labels"));
}

/** The UID; empty where the API server has given it none. */
export const uidOf = (object: KubernetesObject): string => asString(member(object.metadata, "uid")) ?? "";

/** The `resourceVersion`; empty where the API server has given it none. */
export const versionOf = (object: KubernetesObject): string => asString(member(object.metadata, "resourceVersion")) ?? "";

/** When it was created, to the second; NaN where the API server has not said. */
export const createdOf = (object: KubernetesObject): Instant =>
  Date.parse(asString(member(object.metadata, "creationTimestamp")) ?? "");

export function annotationsOf(object: KubernetesObject): { readonly [key: string]: string } {
  return stringMap(member(object.metadata, "annotations"));
}

export function resourceRef(object: KubernetesObject): ResourceRef {
  const name = nameOf(object);
  const generateName = asString(member(object.metadata, "generateName"));
  return {
    ...gvkOf(object),
    namespace: namespaceOf(object),
    name: name === "" && generateName !== undefined ? `${generateName}*` : name,
  };
}

/** `apps/v1/Deployment ns/name`, without the parts that are empty. */
export function formatRef(ref: ResourceRef): string {
  const type = [ref.group, ref.version, ref.kind].filter((s) => s !== "").join("/");
  return `${type} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${ref.name}`;
}

/** Metadata that the API server writes itself, with every write or at the first. */
const keptByServer = new Set(["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"]);

/** What somebody declared of a live object: all but its status and the metadata that the API server keeps. */
export function declaredPart(object: KubernetesObject): KubernetesObject {
  const metadata = Object.fromEntries(Object.entries(object.metadata ?? {}).filter(([key]) => !keptByServer.has(key)));
  const { status: _, ...rest } = object;
  return { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata };
}
