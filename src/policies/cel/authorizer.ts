import type { JsonObject } from "../../core/json.ts";
import { asString, member } from "../../core/json.ts";
import {
  type AuthorizationCheck,
  Authorizer,
  type AuthorizerPort,
  requestResourceCheck,
} from "../../languages/cel/libraries/kubernetes/authorizer.ts";
import { CelError, Unknown, type Value } from "../../languages/cel/values/value.ts";
import type { RuleContext } from "../policy.ts";
import { resourceOf } from "./resource-name.ts";

/** The question as a SubjectAccessReview. */
function review(check: AuthorizationCheck): JsonObject {
  const subject = { user: check.user, groups: check.groups };
  const { verb, path, namespace, apiGroup, resource, subresource, name, fieldSelector, labelSelector } = check;
  const selectors = {
    ...(fieldSelector === "" ? {} : { fieldSelector: { rawSelector: fieldSelector } }),
    ...(labelSelector === "" ? {} : { labelSelector: { rawSelector: labelSelector } }),
  };
  const attributes = check.isResourceRequest
    ? { resourceAttributes: { namespace, verb, group: apiGroup, resource, subresource, name, ...selectors } }
    : { nonResourceAttributes: { path, verb } };
  return {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { ...subject, ...attributes },
  };
}

/** Where nobody acts: objects in files. Only what service accounts may do can be asked then. */
const nobody = { user: "", groups: [] };

/** Asks for the answer of a cluster, or of whoever knows its roles. */
function port({ action, facts }: RuleContext): AuthorizerPort {
  return (check) => {
    if (check.user === "" && action.actor === undefined)
      return new CelError("it is not known who acts, so authorizer has no answers");
    const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    const need = { kind: "api-call", method: "POST", path, body: review(check) } as const;
    const fact = facts.get(need);
    if (fact === undefined) return new Unknown([need]);
    if (!fact.ok) return new CelError(`the authorization check was not answered: ${fact.message}`);
    const status = member(fact.value, "status");
    const allowed = member(status, "allowed") === true;
    return { allowed, reason: asString(member(status, "reason")) ?? "" };
  };
}

/** `authorizer`, on behalf of who acts. */
export function authorizerOf(context: RuleContext): Authorizer {
  const { user, groups } = context.action.actor ?? nobody;
  return new Authorizer(port(context), { name: user, groups });
}

/** `authorizer.requestResource`: what is asked about is the target of the request. */
export function requestedResource({ action, resources }: RuleContext, authorizer: Authorizer): Value {
  const { target } = action;
  const { group: apiGroup, subresource, namespace, name } = target;
  return requestResourceCheck(authorizer, { apiGroup, resource: resourceOf(target, resources), subresource, namespace, name });
}
