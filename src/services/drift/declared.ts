import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import { crdResources } from "../../core/crd.ts";
import { asString, isObject, member } from "../../core/json.ts";
import { groupOf, type KubernetesObject, nameOf, namespaceOf, type ResourceRef, resourceRef } from "../../core/kubernetes.ts";

/** A declared object at the place where it belongs. */
export interface Declared {
  /** Names its namespace where its kind has any, and none elsewhere. */
  readonly object: KubernetesObject;
  readonly resource: ApiResource;
  /** False for kinds that another declared object brings, and the cluster does not serve yet. */
  readonly isServed: boolean;
}

/** What could not be compared, and why. */
export interface DriftProblem {
  readonly resource: ResourceRef;
  readonly message: string;
}

/**
 * Finds for each object the resource that serves it, of the version that it is written in: the server takes no other.
 * @param namespace of objects that name none
 */
export function placeDeclared(
  desired: readonly KubernetesObject[],
  resources: ApiResources,
  namespace: string,
): { readonly declared: readonly Declared[]; readonly problems: readonly DriftProblem[] } {
  const brought = desired.flatMap(broughtKinds);
  const declared = new Map<string, Declared>();
  const problems: DriftProblem[] = [];
  for (const object of desired) {
    const ref = resourceRef(object);
    const isSame = (one: ApiResource) => one.group === ref.group && one.version === ref.version && one.kind === ref.kind;
    const served = resources.all().find(isSame);
    const resource = served ?? brought.find(isSame);
    const message = resource === undefined ? unserved(ref, resources) : unkept(object, resource);
    if (resource === undefined || message !== undefined) {
      problems.push({ resource: ref, message: message ?? "" });
      continue;
    }
    const one = { object: placed(object, resource, namespace), resource, isServed: served !== undefined };
    const key = [ref.group, ref.kind, namespaceOf(one.object), ref.name].join("/");
    if (declared.has(key)) problems.push({ resource: ref, message: "it is declared twice, and the first one counts" });
    else declared.set(key, one);
  }
  return { declared: [...declared.values()], problems };
}

/** The kinds of a declared CustomResourceDefinition or ConstraintTemplate. */
function broughtKinds(object: KubernetesObject): readonly ApiResource[] {
  const kind = asString(member(member(member(member(object["spec"], "crd"), "spec"), "names"), "kind"));
  if (groupOf(object) !== "templates.gatekeeper.sh" || kind === undefined) return crdResources(object);
  const group = "constraints.gatekeeper.sh";
  const verbs = ["create", "delete", "get", "list", "patch", "update"];
  return ["v1beta1", "v1"].map((version) => ({
    group,
    version,
    kind,
    resource: kind.toLowerCase(),
    namespaced: false,
    verbs,
    subresources: [],
  }));
}

function unserved({ group, kind, version }: ResourceRef, resources: ApiResources): string {
  const other = resources.byKind(group, kind);
  return other === undefined
    ? "the cluster does not serve this kind"
    : `the cluster serves no ${version} of this kind, but ${other.version}`;
}

/** Why nothing live can be told to be this object; undefined where something can. */
function unkept(object: KubernetesObject, resource: ApiResource): string | undefined {
  if (!resource.verbs.includes("get") || !resource.verbs.includes("patch")) return "the server keeps no objects of this kind";
  if (nameOf(object) !== "") return undefined;
  const generated = member(object.metadata, "generateName") !== undefined;
  return generated ? "its name is generated, so nobody knows which live object it is" : "it has no name";
}

function placed(object: KubernetesObject, resource: ApiResource, namespace: string): KubernetesObject {
  const { namespace: own, ...metadata } = object.metadata ?? {};
  const place = resource.namespaced ? { namespace: namespaceOf(object) || namespace } : {};
  return withData({ ...object, metadata: { ...metadata, ...place } });
}

/** A Secret's texts as the bytes that the server keeps: fields set by `stringData` are nobody's, and could not be taken back. */
function withData(object: KubernetesObject): KubernetesObject {
  const { stringData, ...rest } = object;
  if (object.kind !== "Secret" || groupOf(object) !== "" || !isObject(stringData)) return object;
  const bytes = Object.entries(stringData).flatMap(([key, text]) =>
    typeof text === "string" ? [[key, Buffer.from(text).toString("base64")]] : [],
  );
  const data = object["data"];
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    data: { ...(isObject(data) ? data : {}), ...Object.fromEntries(bytes) },
  };
}
