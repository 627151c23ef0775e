import { readSignedMessage } from "../adapters/signed-message.ts";
import type { RbacIndex } from "../analysis/rbac/rbac-index.ts";
import type { ApiResources } from "../core/api-resources.ts";
import { assertNever } from "../core/diagnostic.ts";
import type { Fact, Facts, Need, ObjectsNeed } from "../core/facts.ts";
import type { JsonValue } from "../core/json.ts";
import { type KubernetesObject, labelsOf, nameOf, namespaceOf, parseApiVersion } from "../core/kubernetes.ts";
import { compileLabelSelector } from "../core/label-selector.ts";
import { once } from "../core/once.ts";
import { matchWildcard } from "../core/wildcard.ts";
import { accessReviews, reviewAccess } from "./scanned-access.ts";

/** What is known about the world outside one object: the other objects of the same scan. */
export interface ScannedWorld {
  readonly objects: readonly KubernetesObject[];
  readonly resources: ApiResources;
  /** Whether the objects are all there are (a whole cluster), so that a list of them and an absence are certain. */
  readonly complete: boolean;
  /** Who may do what by the roles among the objects; asked for only where a policy asks. Undefined: there are no roles. */
  readonly access?: (() => RbacIndex) | undefined;
}

/**
 * Answers from the scanned objects where the answer is certain: a named object that was scanned; lists only where the
 * whole cluster was. Everything else is refused with the reason, so that the rule's result says it could not be checked.
 */
export function scannedFacts(world: ScannedWorld): Facts {
  // Of most objects no policy asks about others, and then about a few kinds.
  const byKind = once(() => Map.groupBy(world.objects, (object) => object.kind));
  const indexes = new Map<string, ReadonlyMap<string, KubernetesObject>>();
  const find = (apiVersion: string, kind: string, namespace: string, name: string) => {
    let index = indexes.get(kind);
    if (index === undefined) {
      index = new Map(
        byKind()
          .get(kind)
          ?.map((o) => [objectKey(o.apiVersion, namespaceOf(o), nameOf(o)), o]),
      );
      indexes.set(kind, index);
    }
    return index.get(objectKey(apiVersion, namespace, name));
  };
  const named = (object: KubernetesObject | undefined, what: string): Fact =>
    object === undefined ? absent(what, world) : { ok: true, value: object };
  return {
    get(need: Need): Fact {
      switch (need.kind) {
        case "namespace":
          return named(find("v1", "Namespace", "", need.name), `namespace ${need.name}`);
        case "config-map":
          return named(find("v1", "ConfigMap", need.namespace, need.name), `config map ${need.namespace}/${need.name}`);
        case "api-call":
          return need.method === "GET" ? answerCall(need.path, world, find) : answerPost(need.path, need.body, world);
        case "objects":
          return answerObjects(need, world);
        case "http-call":
          return refused(`${need.method} ${need.url} needs the network, which a scan does not use`);
        case "image":
        case "image-verification":
          return refused(`the image ${need.reference} can only be looked up in its registry, which a scan does not ask`);
        case "signed-message":
          return readSignedMessage(need);
        case "global-context":
          return refused(`the global context entry ${need.name} exists only in a cluster`);
        default:
          return assertNever(need);
      }
    },
  };
}

function objectKey(apiVersion: string, namespace: string, name: string): string {
  return `${parseApiVersion(apiVersion).group}|${namespace}|${name}`;
}

function refused(message: string): Fact {
  return { ok: false, message };
}

function absent(what: string, world: ScannedWorld): Fact {
  if (world.complete) return { ok: false, message: `there is no ${what}`, notFound: true };
  return refused(`${what} is not among the scanned objects`);
}

function answerObjects(need: ObjectsNeed, world: ScannedWorld): Fact {
  const found = selectObjects(need, world.objects);
  if (need.certain !== true || found.length > 0 || world.complete) return { ok: true, value: found };
  const what = need.name === "" ? `${need.objectKind} that is asked for` : `${need.objectKind} ${need.namespace}/${need.name}`;
  return refused(`no ${what} is among the scanned objects; the cluster may have one`);
}

export function selectObjects(need: ObjectsNeed, objects: readonly KubernetesObject[]): readonly JsonValue[] {
  const selector = need.selector === undefined ? undefined : compileLabelSelector(need.selector);
  if (selector !== undefined && !selector.ok) return [];
  const { group } = parseApiVersion(need.apiVersion);
  const fits = (pattern: string, text: string) => pattern === "" || matchWildcard(pattern, text);
  return objects.filter(
    (o) =>
      matchWildcard(need.objectKind, o.kind) &&
      matchWildcard(group, parseApiVersion(o.apiVersion).group) &&
      fits(need.namespace, namespaceOf(o)) &&
      fits(need.name, nameOf(o)) &&
      (selector?.matches(labelsOf(o)) ?? true),
  );
}

function answerPost(path: string, body: JsonValue | undefined, { access, complete }: ScannedWorld): Fact {
  if (path !== accessReviews) return refused(`POST ${path} needs a cluster`);
  return access === undefined
    ? refused("who may do what is not known: no roles were scanned")
    : reviewAccess(access(), body, complete);
}

interface ApiPath {
  readonly apiVersion: string;
  readonly group: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
}

/** `/api/v1/...` and `/apis/GROUP/VERSION/...` of one object or one list; undefined for subresources, queries and the rest. */
function parseApiPath(path: string): ApiPath | undefined {
  const match =
    /^\/(?:api\/(v\d\w*)|apis\/([^/?]+)\/(v\d\w*))(?:\/namespaces\/([^/?]+)(?=\/[^/?]))?\/([^/?]+)(?:\/([^/?]+))?\/?$/.exec(path);
  if (match === null) return undefined;
  const [, coreVersion, group = "", version = coreVersion ?? "", namespace = "", resource = "", name = ""] = match;
  return { apiVersion: group === "" ? version : `${group}/${version}`, group, namespace, resource, name };
}

type Find = (apiVersion: string, kind: string, namespace: string, name: string) => KubernetesObject | undefined;

function answerCall(path: string, world: ScannedWorld, find: Find): Fact {
  const parsed = parseApiPath(path);
  const kind = parsed && world.resources.byResource(parsed.group, parsed.resource)?.kind;
  if (parsed === undefined || kind === undefined) return refused(`GET ${path} needs a cluster`);
  const { apiVersion, namespace, name } = parsed;
  if (name !== "") {
    const object = find(apiVersion, kind, namespace, name);
    return object === undefined
      ? absent(`${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`, world)
      : { ok: true, value: object };
  }
  if (!world.complete) return refused(`GET ${path} lists what only a whole cluster knows`);
  const items = selectObjects(
    { kind: "objects", apiVersion, objectKind: kind, subresource: "", namespace, name: "" },
    world.objects,
  );
  return { ok: true, value: { apiVersion, kind: `${kind}List`, metadata: {}, items } };
}
