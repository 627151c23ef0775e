import type { JsonObject } from "../../core/json.ts";
import { asString, member } from "../../core/json.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import {
  type AuthorizationCheck,
  Authorizer,
  type AuthorizerPort,
  requestResourceCheck,
} from "../../languages/cel/libraries/kubernetes/authorizer.ts";
import { CelError, Unknown } from "../../languages/cel/values/value.ts";
import type { RuleContext } from "../policy.ts";
import { lazily } from "./inputs.ts";
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

/** `inputs` with `authorizer` and `authorizer.requestResource`, on behalf of who acts. */
export function withAuthorizer(context: RuleContext, inputs: Activation): Activation {
  const before = known.get(inputs);
  if (before?.context === context) return before.activation;
  const activation = makeAuthorizer(context, inputs);
  known.set(inputs, { context, activation });
  return activation;
}

/** Kept with the inputs: every rule about one object asks in the same way. */
const known = new WeakMap<Activation, { readonly context: RuleContext; readonly activation: Activation }>();

function makeAuthorizer(context: RuleContext, inputs: Activation): Activation {
  const { action, resources } = context;
  const { actor, target } = action;
  const { user, groups } = actor ?? nobody;
  const authorizer = new Authorizer(port(context), { name: user, groups });
  const { group: apiGroup, subresource, namespace, name } = target;
  const requested = { apiGroup, resource: resourceOf(target, resources), subresource, namespace, name };
  return lazily(
    { authorizer: () => authorizer, "authorizer.requestResource": () => requestResourceCheck(authorizer, requested) },
    inputs,
  );
}
