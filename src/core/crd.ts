import type { ApiResource, ApiSubresource } from "./api-resources.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "./json.ts";
import { type GroupVersionKind, groupOf, type KubernetesObject } from "./kubernetes.ts";
import type { Schema } from "./schema.ts";

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const objectVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const statusVerbs = ["get", "patch", "update"];

interface CustomKind {
  readonly group: string;
  readonly names: JsonObject;
  readonly namespaced: boolean;
  readonly versions: readonly JsonObject[];
}

function readCrd(object: KubernetesObject): CustomKind | undefined {
  if (object.kind !== "CustomResourceDefinition" || groupOf(object) !== "apiextensions.k8s.io") return undefined;
  const spec = object["spec"];
  const group = asString(member(spec, "group"));
  const names = member(spec, "names");
  const versions = member(spec, "versions");
  if (group === undefined || !isObject(names) || !isArray(versions)) return undefined;
  return { group, names, namespaced: member(spec, "scope") === "Namespaced", versions: versions.filter(isObject) };
}

function servedVersions(crd: CustomKind): readonly (GroupVersionKind & { readonly definition: JsonObject })[] {
  const kind = asString(crd.names["kind"]);
  if (kind === undefined) return [];
  return crd.versions.flatMap((definition) => {
    const version = asString(definition["name"]);
    return version === undefined || definition["served"] === false ? [] : [{ group: crd.group, version, kind, definition }];
  });
}

/**
 * The schemas a CustomResourceDefinition gives, one a served version; none for any other object.
 * `apiVersion`, `kind` and `metadata` are added as the API server adds them.
 */
export function crdSchemas(
  object: KubernetesObject,
  builtIn: { readonly [name: string]: Schema },
): readonly (readonly [GroupVersionKind, Schema])[] {
  const crd = readCrd(object);
  if (crd === undefined) return [];
  return servedVersions(crd).flatMap(({ definition, ...gvk }) => {
    const schema = member(member(definition, "schema"), "openAPIV3Schema");
    if (!isSchema(schema)) return [];
    const metadata: Schema = Object.hasOwn(builtIn, objectMeta) ? { $ref: `#/definitions/${objectMeta}` } : { type: "object" };
    const properties = { ...schema.properties, apiVersion: { type: "string" }, kind: { type: "string" }, metadata };
    return [[gvk, { ...schema, properties }] as const];
  });
}

/** A served version of a CustomResourceDefinition with its schema as it is written. */
export interface CrdVersion {
  readonly gvk: GroupVersionKind;
  readonly schema: JsonObject;
  /** Whether the status has a door of its own. */
  readonly hasStatus: boolean;
  /** Where the version stands in the definition. */
  readonly path: JsonPath;
}

/** The served versions that have a schema; none for any other object. */
export function crdVersions(object: KubernetesObject): readonly CrdVersion[] {
  const crd = readCrd(object);
  if (crd === undefined) return [];
  return servedVersions(crd).flatMap(({ definition, group, version, kind }): CrdVersion[] => {
    const schema = member(member(definition, "schema"), "openAPIV3Schema");
    const hasStatus = member(definition["subresources"], "status") !== undefined;
    const path = ["spec", "versions", crd.versions.indexOf(definition), "schema", "openAPIV3Schema"];
    return isObject(schema) ? [{ gvk: { group, version, kind }, schema, hasStatus, path }] : [];
  });
}

/** A structural schema is accepted as it stands: what it allows is the API server's to judge, not ours. */
function isSchema(value: JsonValue | undefined): value is JsonObject & Schema {
  return isObject(value);
}

/** The resources a CustomResourceDefinition serves, the storage version first. */
export function crdResources(object: KubernetesObject): readonly ApiResource[] {
  const crd = readCrd(object);
  const resource = asString(crd?.names["plural"]);
  if (crd === undefined || resource === undefined) return [];
  const served = servedVersions(crd).toSorted((a, b) => storageFirst(a.definition) - storageFirst(b.definition));
  return served.map(({ definition, ...gvk }) => ({
    ...gvk,
    resource,
    singular: asString(crd.names["singular"]) ?? gvk.kind.toLowerCase(),
    shortNames: strings(crd.names["shortNames"]),
    categories: strings(crd.names["categories"]),
    namespaced: crd.namespaced,
    verbs: objectVerbs,
    subresources: subresources(gvk, definition["subresources"]),
  }));
}

function storageFirst(version: JsonObject): number {
  return version["storage"] === true ? 0 : 1;
}

function strings(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((v) => typeof v === "string") : [];
}

function subresources(gvk: GroupVersionKind, declared: JsonValue | undefined): readonly ApiSubresource[] {
  const found: ApiSubresource[] = [];
  if (member(declared, "status") !== undefined) found.push({ ...gvk, name: "status", verbs: statusVerbs });
  if (member(declared, "scale") !== undefined) {
    found.push({ group: "autoscaling", version: "v1", kind: "Scale", name: "scale", verbs: statusVerbs });
  }
  return found;
}
