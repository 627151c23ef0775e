import type { Action, Operation, Subject } from "../../core/action.ts";
import type { Instant } from "../../core/host.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";

/** The request of an `admission.k8s.io/v1` AdmissionReview. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly action: Action;
}

export type ReviewReading =
  | { readonly ok: true; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly reason: string };

const operations: readonly Operation[] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/** Reads a review; `labels` answers a namespace's labels where they are known. */
export function readReview(review: JsonValue, at: Instant, labels: (namespace: string) => Labels | undefined): ReviewReading {
  const request = member(review, "request");
  if (!isObject(request) || member(review, "kind") !== "AdmissionReview")
    return refused("the body is no AdmissionReview with a request");
  if (member(review, "apiVersion") !== "admission.k8s.io/v1")
    return refused("only AdmissionReviews of admission.k8s.io/v1 are understood");
  const uid = asString(request["uid"]);
  const operation = operations.find((known) => known === request["operation"]);
  const kind = request["kind"];
  const resource = request["resource"];
  if (uid === undefined || operation === undefined || !isObject(kind) || !isObject(resource)) {
    return refused("the request lacks its uid, operation, kind or resource");
  }
  const text = (value: JsonValue | undefined, key: string) => asString(member(value, key)) ?? "";
  const namespace = text(request, "namespace");
  const action: Action = {
    channel: "admission",
    actor: subjectOf(request["userInfo"]),
    operation,
    dryRun: request["dryRun"] === true,
    target: {
      type: "kubernetes",
      group: text(kind, "group"),
      ...(text(resource, "group") === text(kind, "group") ? {} : { resourceGroup: text(resource, "group") }),
      version: text(kind, "version"),
      kind: text(kind, "kind"),
      resource: text(resource, "resource"),
      subresource: text(request, "subResource"),
      namespace,
      name: text(request, "name"),
    },
    object: objectOf(request["object"]),
    oldObject: objectOf(request["oldObject"]),
    options: isObject(request["options"]) ? request["options"] : undefined,
    namespaceLabels: namespace === "" ? undefined : labels(namespace),
    at,
  };
  return { ok: true, request: { uid, action } };
}

const refused = (reason: string): ReviewReading => ({ ok: false, reason });

function objectOf(value: JsonValue | undefined): KubernetesObject | undefined {
  return value !== undefined && isKubernetesObject(value) ? value : undefined;
}

function subjectOf(value: JsonValue | undefined): Subject | undefined {
  const user = asString(member(value, "username"));
  if (user === undefined) return undefined;
  const uid = asString(member(value, "uid"));
  const extra = member(value, "extra");
  return {
    user,
    groups: strings(member(value, "groups")),
    ...(uid === undefined ? {} : { uid }),
    ...(isObject(extra)
      ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, strings(values)])) }
      : {}),
  };
}

function strings(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** What the webhook answers. */
export interface AdmissionAnswer {
  readonly allowed: boolean;
  /** Why not, for the person who asked. */
  readonly message: string;
  readonly warnings: readonly string[];
  /** The object as changed; undefined where it stays as it is. */
  readonly object?: KubernetesObject | undefined;
}

/** The AdmissionReview that answers `uid`; `patch` is base64 of an RFC 6902 patch. */
export function writeReview(uid: string, answer: AdmissionAnswer, patch: string | undefined): JsonObject {
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid,
      allowed: answer.allowed,
      ...(answer.allowed ? {} : { status: { status: "Failure", code: 403, reason: "Forbidden", message: answer.message } }),
      ...(answer.warnings.length === 0 ? {} : { warnings: answer.warnings.map(shortened) }),
      ...(patch === undefined ? {} : { patchType: "JSONPatch", patch }),
    },
  };
}

/** The API server truncates warnings of more than 256 characters all the same. */
function shortened(warning: string): string {
  return warning.length <= 256 ? warning : `${warning.slice(0, 255)}…`;
}
