import type { Host } from "../../core/host.ts";
import { isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { PolicyId, RuleContext } from "../policy.ts";
import { imagesOf, imagesVariable, mayHoldImages } from "./images.ts";
import type { PodSecurityException, RuleScope } from "./rule-types.ts";

const serviceAccountPrefix = "system:serviceaccount:";

function serviceAccount(user: string): JsonObject {
  const [namespace = "", name] = user.startsWith(serviceAccountPrefix) ? user.slice(serviceAccountPrefix.length).split(":") : [];
  return { serviceAccountName: name ?? "", serviceAccountNamespace: name === undefined ? "" : namespace };
}

/** `request` as an admission review shows it; parts that are not known are absent. */
function requestOf(context: RuleContext): JsonObject {
  const { action, object, oldObject } = context;
  const { actor, target } = action;
  const subject = object ?? oldObject;
  const kind = { group: target.group, version: target.version, kind: target.kind };
  const resource = { group: target.group, version: target.version, resource: target.resource };
  return {
    ...(object === undefined ? {} : { object }),
    ...(oldObject === undefined ? {} : { oldObject }),
    operation: action.operation,
    namespace: subject === undefined ? target.namespace : namespaceOf(subject),
    name: subject === undefined ? target.name : nameOf(subject),
    kind,
    requestKind: kind,
    ...(target.resource === "" ? {} : { resource, requestResource: resource }),
    ...(target.subresource === "" ? {} : { subResource: target.subresource }),
    dryRun: action.dryRun,
    ...(action.options === undefined ? {} : { options: action.options }),
    ...(actor === undefined
      ? {}
      : {
          userInfo: {
            username: actor.user,
            ...(actor.uid === undefined ? {} : { uid: actor.uid }),
            groups: actor.groups,
            ...(actor.extra === undefined ? {} : { extra: actor.extra }),
          },
          roles: actor.roles ?? [],
          clusterRoles: actor.clusterRoles ?? [],
        }),
  };
}

/** Adds a member that is computed when it is first read, and then kept. */
export function defineLazy(root: object, name: string, compute: () => JsonValue | undefined): void {
  let value: JsonValue | undefined;
  let computed = false;
  Object.defineProperty(root, name, {
    enumerable: true,
    configurable: true,
    get() {
      if (!computed) {
        value = compute();
        computed = true;
      }
      return value;
    },
  });
}

function baseRoot(context: RuleContext): JsonObject {
  const { actor } = context.action;
  const root = { request: requestOf(context), ...(actor === undefined ? {} : serviceAccount(actor.user)) };
  const { object } = context;
  if (object !== undefined && mayHoldImages(object)) defineLazy(root, "images", () => imagesVariable(imagesOf(object)));
  return root;
}

/** `source` merged into `target`, objects member by member; everything else of `source` replaces. */
export function mergeInto(target: JsonValue | undefined, source: JsonValue): JsonValue {
  if (!isObject(target) || !isObject(source)) return source;
  const merged: { [key: string]: JsonValue | undefined } = { ...target };
  for (const [key, value] of Object.entries(source)) {
    if (value !== undefined) merged[key] = mergeInto(Object.hasOwn(target, key) ? target[key] : undefined, value);
  }
  return merged;
}

/** A copy of a root without reading its lazy members. */
function copyRoot(root: JsonObject): { [key: string]: JsonValue | undefined } {
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(root));
}

function extend(root: JsonObject, members: JsonObject): JsonObject {
  const copy = copyRoot(root);
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

function mergeRoot(root: JsonObject, members: JsonObject): JsonObject {
  const merged = Object.entries(members).map(([name, value]) => {
    const known = Object.getOwnPropertyDescriptor(root, name)?.value;
    return [name, value === undefined ? undefined : mergeInto(known, value)];
  });
  return extend(root, Object.fromEntries(merged));
}

interface ScopeParts {
  readonly root: JsonObject;
  readonly context: RuleContext;
  readonly exceptions: readonly PodSecurityException[];
}

class Scope implements RuleScope {
  readonly root: JsonObject;
  readonly context: RuleContext;
  readonly exceptions: readonly PodSecurityException[];
  readonly deleting: boolean;

  constructor(parts: ScopeParts) {
    this.root = parts.root;
    this.context = parts.context;
    this.exceptions = parts.exceptions;
    this.deleting = parts.context.action.operation === "DELETE";
  }

  get host(): Host {
    return this.context.host;
  }

  with(members: JsonObject): RuleScope {
    return new Scope({ ...this, root: extend(this.root, members) });
  }

  withLazy(name: string, compute: () => JsonValue): RuleScope {
    const root = copyRoot(this.root);
    defineLazy(root, name, compute);
    return new Scope({ ...this, root });
  }

  withObject(object: KubernetesObject): RuleScope {
    const request = Object.getOwnPropertyDescriptor(this.root, "request")?.value;
    return this.with({ request: { ...request, object } });
  }
}

/** Roots are shared by all rules that look at the same object in the same state. */
const roots = new WeakMap<RuleContext, JsonObject>();

function rootOf(context: RuleContext): JsonObject {
  let root = roots.get(context);
  if (root === undefined) {
    root = baseRoot(context);
    roots.set(context, root);
  }
  return root;
}

/** What the variables of a rule see before its own context entries. */
export function ruleScope(
  context: RuleContext,
  policy: PolicyId,
  rule: string,
  exceptions: readonly PodSecurityException[] = [],
): RuleScope {
  const supplied = context.supplied?.(policy, rule);
  const root = supplied === undefined ? rootOf(context) : mergeRoot(rootOf(context), supplied);
  return new Scope({ root, context, exceptions });
}
