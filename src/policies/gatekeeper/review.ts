import type { Action } from "../../core/action.ts";
import { asString, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";

/** Whether an object was sent by somebody, or stands for what an object will make. */
export type Source = "Original" | "Generated";

/** The enforcement points that constraints can be scoped to. */
export type EnforcementPoint = "validation.gatekeeper.sh" | "audit.gatekeeper.sh" | "gator.gatekeeper.sh";

/** What a constraint judges. */
export interface Review {
  /** As templates see it in `input.review`, but for `namespaceObject`. */
  readonly request: JsonObject;
  readonly operation: string;
  /** Of a deletion, the object that goes. */
  readonly object: KubernetesObject | undefined;
  readonly oldObject: KubernetesObject | undefined;
  readonly source: Source;
  /** The namespace the object is in; undefined: in none, or not known. */
  readonly namespace: ReviewNamespace | undefined;
}

export interface ReviewNamespace {
  readonly name: string;
  readonly labels: Labels;
  /** The whole object, where it is known. */
  readonly object?: JsonObject | undefined;
}

/** What audits and command lines show of an object that nobody is sending: an admission request with nothing else in it. */
function bareRequest(object: KubernetesObject, kind: JsonObject): JsonObject {
  const name = nameOf(object);
  const namespace = namespaceOf(object);
  return {
    uid: "",
    kind,
    resource: { group: "", version: "", resource: "" },
    ...(name === "" ? {} : { name }),
    ...(namespace === "" ? {} : { namespace }),
    operation: "",
    userInfo: {},
    object,
    oldObject: null,
    options: null,
  };
}

/** An object by itself, as audits, scans and tests see it. */
export function objectReview(
  object: KubernetesObject,
  gvk: { readonly group: string; readonly version: string; readonly kind: string },
  source: Source,
  namespace: ReviewNamespace | undefined,
): Review {
  const kind = { group: gvk.group, version: gvk.version, kind: gvk.kind };
  return { request: bareRequest(object, kind), operation: "", object, oldObject: undefined, source, namespace };
}

/** Whether somebody is doing something; else the object just stands there. */
export function isRequest({ channel, actor, operation }: Action): boolean {
  return channel === "admission" || actor !== undefined || operation !== "CREATE";
}

/** An admission request. */
export function actionReview(
  action: Action,
  objects: { readonly object: KubernetesObject | undefined; readonly oldObject: KubernetesObject | undefined },
  resource: string,
  namespace: ReviewNamespace | undefined,
): Review {
  const { actor, target, operation } = action;
  const kind = { group: target.group, version: target.version, kind: target.kind };
  const requested = { group: target.group, version: target.version, resource };
  const object = operation === "DELETE" ? objects.oldObject : objects.object;
  const { oldObject } = objects;
  const request: JsonObject = {
    uid: "",
    kind,
    resource: requested,
    ...(target.subresource === "" ? {} : { subResource: target.subresource }),
    requestKind: kind,
    requestResource: requested,
    ...(target.subresource === "" ? {} : { requestSubResource: target.subresource }),
    ...(target.name === "" ? {} : { name: target.name }),
    ...(target.namespace === "" ? {} : { namespace: target.namespace }),
    operation,
    userInfo:
      actor === undefined
        ? {}
        : {
            username: actor.user,
            ...(actor.uid === undefined ? {} : { uid: actor.uid }),
            ...(actor.groups.length === 0 ? {} : { groups: actor.groups }),
            ...(actor.extra === undefined ? {} : { extra: actor.extra }),
          },
    object: object ?? null,
    oldObject: oldObject ?? null,
    dryRun: action.dryRun,
    options: action.options ?? null,
  };
  return { request, operation, object, oldObject, source: "Original", namespace };
}

const textOf = (value: JsonValue | undefined): string => asString(value) ?? "";

const kindOf = (value: JsonValue | undefined): JsonObject => ({
  group: textOf(member(value, "group")),
  version: textOf(member(value, "version")),
  kind: textOf(member(value, "kind")),
});

/** The request of an AdmissionReview as Gatekeeper reads it; undefined: it carries no object to judge. */
export function requestReview(given: JsonObject, namespace: ReviewNamespace | undefined): Review | undefined {
  const operation = textOf(given["operation"]);
  const oldObject = isKubernetesObject(given["oldObject"] ?? null) ? given["oldObject"] : undefined;
  const object = operation === "DELETE" ? oldObject : given["object"];
  const judged = object ?? undefined;
  if (!isKubernetesObject(judged) && (operation === "DELETE" || !isKubernetesObject(oldObject))) return undefined;
  const resource = given["resource"];
  const request: JsonObject = {
    ...given,
    uid: textOf(given["uid"]),
    kind: kindOf(given["kind"]),
    resource: {
      group: textOf(member(resource, "group")),
      version: textOf(member(resource, "version")),
      resource: textOf(member(resource, "resource")),
    },
    operation,
    userInfo: given["userInfo"] ?? {},
    object: judged ?? null,
    oldObject: given["oldObject"] ?? null,
    options: given["options"] ?? null,
  };
  return {
    request,
    operation,
    object: isKubernetesObject(judged) ? judged : undefined,
    oldObject: isKubernetesObject(oldObject) ? oldObject : undefined,
    source: "Original",
    namespace,
  };
}
