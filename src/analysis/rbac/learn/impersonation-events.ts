import { asString, isArray, isObject, type JsonValue, member } from "../../../core/json.ts";
import type { RequestAttributes } from "../../../core/request-attributes.ts";
import { serviceAccountOf } from "../identities.ts";

const authenticationGroup = "authentication.k8s.io";
const constrainedPrefix = "impersonate:";

/**
 * What was asked of the authorizer about whoever impersonated somebody: the rights that the request itself does not show.
 * `as` is the request under the other name. Empty where nobody was impersonated.
 */
export function impersonationOf(event: JsonValue, as: RequestAttributes): readonly RequestAttributes[] {
  const wanted = member(event, "impersonatedUser");
  const user = asString(member(member(event, "user"), "username"));
  if (!isObject(wanted) || user === undefined) return [];
  const requestor = { user, groups: texts(member(member(event, "user"), "groups")) };
  const constraint = asString(member(member(event, "authenticationMetadata"), "impersonationConstraint")) ?? "";
  const verb = constraint === "" ? "impersonate" : constraint;
  const asked = (apiGroup: string, resource: string, name: string, subresource = "", namespace = ""): RequestAttributes => ({
    ...requestor,
    verb,
    isResourceRequest: true,
    path: "",
    namespace,
    apiGroup,
    resource,
    subresource,
    name,
  });
  const group = constraint === "" ? "" : authenticationGroup;
  const account = serviceAccountOf(as.user);
  const node = constraint.endsWith("-node") ? as.user.replace(/^system:node:/, "") : undefined;
  const identity =
    node !== undefined
      ? // The node of a pod's own account is asked about as any node.
        asked(group, "nodes", constraint === `${constrainedPrefix}associated-node` ? "*" : node)
      : account !== undefined
        ? asked(group, "serviceaccounts", account.name, "", account.namespace)
        : asked(group, "users", as.user);
  const uid = asString(member(wanted, "uid")) ?? "";
  const on = { ...as, ...requestor, verb: `impersonate-on:${constraint.slice(constrainedPrefix.length)}:${as.verb}` };
  return [
    ...(constraint === "" ? [] : [on]),
    identity,
    ...askedGroups(as, constraint).map((name) => asked(group, "groups", name)),
    ...(uid === "" ? [] : [asked(authenticationGroup, "uids", uid)]),
    ...extraOf(member(wanted, "extra")).map(([key, value]) => asked(authenticationGroup, "userextras", value, key)),
  ];
}

/** The groups of the other name but for those that the API server adds by itself. */
function askedGroups({ user, groups }: RequestAttributes, constraint: string): readonly string[] {
  const account = serviceAccountOf(user);
  const added = new Set(["system:authenticated", "system:unauthenticated"]);
  if (account !== undefined) for (const name of ["", `:${account.namespace}`]) added.add(`system:serviceaccounts${name}`);
  if (constraint.endsWith("-node")) added.add("system:nodes");
  return groups.filter((name) => !added.has(name));
}

function extraOf(extra: JsonValue | undefined): readonly (readonly [key: string, value: string])[] {
  if (!isObject(extra)) return [];
  return Object.entries(extra).flatMap(([key, values]) => texts(values).map((value) => [key, value] as const));
}

function texts(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
