import { dnsLabelProblems, dnsSubdomainProblems } from "../../../../core/name-problems.ts";
import type { RequestAttributes } from "../../../../core/request-attributes.ts";
import { type FunctionDeclaration, type Library, memberOverload } from "../../declarations.ts";
import { boolType, type CelType, type CelTypeOf, stringType, structType } from "../../types.ts";
import { CelError, CelObject, noSuchOverload, type Unknown, type Value } from "../../values/value.ts";

/** What an authorizer is asked; selectors are texts, empty for none. */
export interface AuthorizationCheck extends RequestAttributes {
  readonly fieldSelector: string;
  readonly labelSelector: string;
}

export interface AuthorizationDecision {
  readonly allowed: boolean;
  readonly reason: string;
  /** Why the question could not be answered. */
  readonly error?: string;
}

/** Answers whether a user may do something; `Unknown` where that takes outside data, an error where nobody can tell. */
export type AuthorizerPort = (check: AuthorizationCheck) => AuthorizationDecision | Unknown | CelError;

export interface AuthorizerUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The resource of the request under review, for `authorizer.requestResource`. */
export interface RequestedResource {
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

export const authorizerType: CelTypeOf<Authorizer> = structType("kubernetes.authorization.Authorizer");
const pathCheckType: CelTypeOf<PathCheck> = structType("kubernetes.authorization.PathCheck");
const groupCheckType: CelTypeOf<GroupCheck> = structType("kubernetes.authorization.GroupCheck");
export const resourceCheckType: CelTypeOf<ResourceCheck> = structType("kubernetes.authorization.ResourceCheck");
const decisionType: CelTypeOf<Decision> = structType("kubernetes.authorization.Decision");

/** Values that nothing equals, not even they themselves. */
abstract class Incomparable extends CelObject {
  equals(): CelError {
    return noSuchOverload();
  }

  override get inside(): CelError {
    return noSuchOverload();
  }
}

/** Asks a port on behalf of a user. */
export class Authorizer extends Incomparable {
  readonly #port: AuthorizerPort;
  readonly #user: AuthorizerUser;

  constructor(port: AuthorizerPort, user: AuthorizerUser) {
    super();
    this.#port = port;
    this.#user = user;
  }

  get type(): CelType {
    return authorizerType;
  }

  serviceAccount(namespace: string, name: string): Authorizer {
    const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
    return new Authorizer(this.#port, { name: `system:serviceaccount:${namespace}:${name}`, groups });
  }

  check(attributes: Partial<AuthorizationCheck>): Value {
    const answer = this.#port({
      verb: "",
      isResourceRequest: true,
      path: "",
      namespace: "",
      apiGroup: "",
      resource: "",
      subresource: "",
      name: "",
      fieldSelector: "",
      labelSelector: "",
      ...attributes,
      user: this.#user.name,
      groups: this.#user.groups,
    });
    return "allowed" in answer ? new Decision(answer) : answer;
  }
}

class PathCheck extends Incomparable {
  readonly authorizer: Authorizer;
  readonly path: string;

  constructor(authorizer: Authorizer, path: string) {
    super();
    this.authorizer = authorizer;
    this.path = path;
  }

  get type(): CelType {
    return pathCheckType;
  }
}

class GroupCheck extends Incomparable {
  readonly authorizer: Authorizer;
  readonly apiGroup: string;

  constructor(authorizer: Authorizer, apiGroup: string) {
    super();
    this.authorizer = authorizer;
    this.apiGroup = apiGroup;
  }

  get type(): CelType {
    return groupCheckType;
  }
}

class ResourceCheck extends Incomparable {
  readonly authorizer: Authorizer;
  readonly attributes: Partial<AuthorizationCheck>;

  constructor(authorizer: Authorizer, attributes: Partial<AuthorizationCheck>) {
    super();
    this.authorizer = authorizer;
    this.attributes = attributes;
  }

  get type(): CelType {
    return resourceCheckType;
  }
}

class Decision extends Incomparable {
  readonly decision: AuthorizationDecision;

  constructor(decision: AuthorizationDecision) {
    super();
    this.decision = decision;
  }

  get type(): CelType {
    return decisionType;
  }
}

/** The value of `authorizer.requestResource`. */
export function requestResourceCheck(authorizer: Authorizer, resource: RequestedResource): Value {
  return new ResourceCheck(authorizer, { ...resource });
}

function narrowing(name: string, id: string, key: keyof AuthorizationCheck): FunctionDeclaration {
  const compute = (check: ResourceCheck, value: string) =>
    new ResourceCheck(check.authorizer, { ...check.attributes, [key]: value });
  return { name, overloads: [memberOverload(id, [resourceCheckType, stringType], resourceCheckType, compute)] };
}

function path(authorizer: Authorizer, text: string): Value {
  return text.trim() === "" ? new CelError("path must not be empty") : new PathCheck(authorizer, text);
}

function resource(group: GroupCheck, text: string): Value {
  if (text.trim() === "") return new CelError("resource must not be empty");
  return new ResourceCheck(group.authorizer, { apiGroup: group.apiGroup, resource: text });
}

function serviceAccount(authorizer: Authorizer, namespace: string, name: string): Value {
  if (dnsSubdomainProblems(name).length > 0) return new CelError("Invalid service account name");
  if (dnsLabelProblems(namespace).length > 0) return new CelError("Invalid service account namespace");
  return authorizer.serviceAccount(namespace, name);
}

/** `authorizer`'s functions. */
export const authorizerLibrary: Library = {
  name: "kubernetes.authz",
  functions: [
    { name: "path", overloads: [memberOverload("authorizer_path", [authorizerType, stringType], pathCheckType, path)] },
    {
      name: "group",
      overloads: [
        memberOverload(
          "authorizer_group",
          [authorizerType, stringType],
          groupCheckType,
          (authorizer, group) => new GroupCheck(authorizer, group),
        ),
      ],
    },
    {
      name: "serviceAccount",
      overloads: [
        memberOverload("authorizer_serviceaccount", [authorizerType, stringType, stringType], authorizerType, serviceAccount),
      ],
    },
    {
      name: "resource",
      overloads: [memberOverload("groupcheck_resource", [groupCheckType, stringType], resourceCheckType, resource)],
    },
    narrowing("subresource", "resourcecheck_subresource", "subresource"),
    narrowing("namespace", "resourcecheck_namespace", "namespace"),
    narrowing("name", "resourcecheck_name", "name"),
    {
      name: "check",
      overloads: [
        memberOverload("pathcheck_check", [pathCheckType, stringType], decisionType, (check, verb) =>
          check.authorizer.check({ isResourceRequest: false, path: check.path, verb }),
        ),
        memberOverload("resourcecheck_check", [resourceCheckType, stringType], decisionType, (check, verb) =>
          check.authorizer.check({ ...check.attributes, verb }),
        ),
      ],
    },
    {
      name: "errored",
      overloads: [memberOverload("decision_errored", [decisionType], boolType, ({ decision }) => decision.error !== undefined)],
    },
    {
      name: "error",
      overloads: [memberOverload("decision_error", [decisionType], stringType, ({ decision }) => decision.error ?? "")],
    },
    {
      name: "allowed",
      overloads: [memberOverload("decision_allowed", [decisionType], boolType, ({ decision }) => decision.allowed)],
    },
    {
      name: "reason",
      overloads: [memberOverload("decision_reason", [decisionType], stringType, ({ decision }) => decision.reason)],
    },
  ],
};

/** Field and label selectors on checks (Kubernetes 1.31). */
export const authorizerSelectorsLibrary: Library = {
  name: "kubernetes.authzSelectors",
  functions: [
    narrowing("fieldSelector", "authorizer_fieldselector", "fieldSelector"),
    narrowing("labelSelector", "authorizer_labelselector", "labelSelector"),
  ],
};
