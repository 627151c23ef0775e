import { authorize } from "../analysis/rbac/authorize.ts";
import type { RbacIndex } from "../analysis/rbac/rbac-index.ts";
import type { Fact } from "../core/facts.ts";
import { asString, isArray, isObject, type JsonValue, member } from "../core/json.ts";
import type { RequestAttributes } from "../core/request-attributes.ts";

/** The path of the question who may do what. */
export const accessReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

function requestOf(review: JsonValue | undefined): RequestAttributes {
  const spec = member(review, "spec");
  const resource = member(spec, "resourceAttributes");
  const attributes = resource ?? member(spec, "nonResourceAttributes");
  const text = (name: string) => asString(member(attributes, name)) ?? "";
  const groups = member(spec, "groups");
  return {
    user: asString(member(spec, "user")) ?? "",
    groups: isArray(groups) ? groups.filter((g) => typeof g === "string") : [],
    verb: text("verb"),
    isResourceRequest: isObject(resource),
    path: text("path"),
    namespace: text("namespace"),
    apiGroup: text("group"),
    resource: text("resource"),
    subresource: text("subresource"),
    name: text("name"),
  };
}

/**
 * Answers a SubjectAccessReview from roles and bindings. That something is allowed is certain by one binding; that it is
 * not, only where these are all the roles and bindings that there are.
 */
export function reviewAccess(index: RbacIndex, review: JsonValue | undefined, complete: boolean): Fact {
  const request = requestOf(review);
  const { decision, reason } = authorize(index, request);
  if (decision === "allow") return { ok: true, value: { status: { allowed: true, reason } } };
  if (complete) return { ok: true, value: { status: { allowed: false, reason } } };
  const what = request.isResourceRequest ? request.resource : request.path;
  return {
    ok: false,
    message: `no role among the scanned objects lets ${request.user} ${request.verb} ${what}; others may exist in the cluster`,
  };
}
