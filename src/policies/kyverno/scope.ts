import type { Subject } from "../../core/action.ts";
import type { Host } from "../../core/host.ts";
import { isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { latest } from "../../core/latest.ts";
import { once } from "../../core/once.ts";
import type { PolicyId, RuleContext } from "../policy.ts";
import { imagesOf, imagesVariable, mayHoldImages } from "./images.ts";
import type { PodSecurityException, RuleScope } from "./rule-types.ts";

const serviceAccountPrefix = "system:serviceaccount:";

function serviceAccount(user: string): JsonObject {
  const [namespace = "", name] = user.startsWith(serviceAccountPrefix) ? user.slice(serviceAccountPrefix.length).split(":") : [];
  return { serviceAccountName: name ?? "", serviceAccountNamespace: name === undefined ? "" : namespace };
}

/** An admission review says null for an object that it does not carry; elsewhere the member is absent. */
function objectMembers({ action, object, oldObject }: RuleContext): JsonObject {
  if (action.channel === "admission") return { object: object ?? null, oldObject: oldObject ?? null };
  return { ...(object === undefined ? {} : { object }), ...(oldObject === undefined ? {} : { oldObject }) };
}

const present = (name: string, value: string): JsonObject => (value === "" ? {} : { [name]: value });
const nonEmpty = (name: string, values: readonly string[] | undefined): JsonObject =>
  values === undefined || values.length === 0 ? {} : { [name]: values };

/** Who acts, without the parts that are empty: an admission review leaves them out. */
function actorMembers(actor: Subject | undefined): JsonObject {
  if (actor === undefined) return {};
  const { extra = {} } = actor;
  return {
    userInfo: {
      ...present("username", actor.user),
      ...present("uid", actor.uid ?? ""),
      ...nonEmpty("groups", actor.groups),
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    },
    ...nonEmpty("roles", actor.roles),
    ...nonEmpty("clusterRoles", actor.clusterRoles),
  };
}

/** Where the object is; an admission review leaves out what is empty, as the name is until it is generated. */
function placeMembers({ action, object, oldObject }: RuleContext): JsonObject {
  const subject = object ?? oldObject;
  const name = subject === undefined ? action.target.name : nameOf(subject);
  const namespace = subject === undefined ? action.target.namespace : namespaceOf(subject);
  if (action.channel !== "admission") return { namespace, name };
  return { ...present("namespace", namespace), ...present("name", name) };
}

/** `request` as an admission review shows it; parts that are not known are absent. */
function requestOf(context: RuleContext): JsonObject {
  const { action } = context;
  const { target } = action;
  const kind = { group: target.group, version: target.version, kind: target.kind };
  const resource = { group: target.group, version: target.version, resource: target.resource };
  return {
    ...objectMembers(context),
    operation: action.operation,
    ...placeMembers(context),
    kind,
    requestKind: kind,
    ...(target.resource === "" ? {} : { resource, requestResource: resource }),
    ...(target.subresource === "" ? {} : { subResource: target.subresource }),
    dryRun: action.dryRun,
    ...(action.options === undefined ? {} : { options: action.options }),
    ...actorMembers(action.actor),
  };
}

/** A member of a root that is computed when it is first read, and then kept; scopes share it with their children. */
interface LazyMember {
  readonly name: string;
  readonly value: () => JsonValue | undefined;
}

function lazyMember(name: string, compute: () => JsonValue | undefined): LazyMember {
  return { name, value: once(compute) };
}

/** What a scope's root is made of: plain members, and those that are computed. */
interface Members {
  readonly plain: JsonObject;
  readonly lazy: readonly LazyMember[];
}

function baseMembers(context: RuleContext): Members {
  const { object, action } = context;
  const plain = { request: requestOf(context), ...(action.actor === undefined ? {} : serviceAccount(action.actor.user)) };
  const holdsImages = object !== undefined && mayHoldImages(object);
  return { plain, lazy: holdsImages ? [lazyMember("images", () => imagesVariable(imagesOf(object)))] : [] };
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

function extended({ plain, lazy }: Members, added: JsonObject): Members {
  return {
    plain: { ...plain, ...added },
    lazy: lazy.length === 0 ? lazy : lazy.filter(({ name }) => !Object.hasOwn(added, name)),
  };
}

function merged(members: Members, added: JsonObject): Members {
  const values = Object.entries(added).map(([name, value]) => {
    const known = Object.hasOwn(members.plain, name) ? members.plain[name] : undefined;
    return [name, value === undefined ? undefined : mergeInto(known, value)];
  });
  return extended(members, Object.fromEntries(values));
}

/** Where a root keeps what its accessors compute. */
const computed = Symbol("computed members");

interface Root extends JsonObject {
  readonly [computed]: readonly LazyMember[];
}

/** One accessor for each name: roots whose accessors are the same functions are read and made several times faster. */
const accessors = new Map<string, PropertyDescriptor>();

function accessor(name: string): PropertyDescriptor {
  let descriptor = accessors.get(name);
  if (descriptor === undefined) {
    const get = function (this: Root) {
      return this[computed].find((lazy) => lazy.name === name)?.value();
    };
    descriptor = { enumerable: true, configurable: true, get };
    accessors.set(name, descriptor);
  }
  return descriptor;
}

function rootOf({ plain, lazy }: Members): JsonObject {
  if (lazy.length === 0) return plain;
  const root: Root = { ...plain, [computed]: lazy };
  for (const { name } of lazy) Object.defineProperty(root, name, accessor(name));
  return root;
}

/** Most rules have no variables, and never look at what their scope holds. */
class Scope implements RuleScope {
  readonly context: RuleContext;
  readonly exceptions: readonly PodSecurityException[];
  readonly deleting: boolean;
  readonly host: Host;
  readonly #compute: () => Members;
  #members: Members | undefined;
  #root: JsonObject | undefined;

  constructor(members: () => Members, context: RuleContext, exceptions: readonly PodSecurityException[]) {
    this.context = context;
    this.exceptions = exceptions;
    this.deleting = context.action.operation === "DELETE";
    this.host = context.host;
    this.#compute = members;
  }

  get root(): JsonObject {
    this.#root ??= rootOf(this.members);
    return this.#root;
  }

  get members(): Members {
    this.#members ??= this.#compute();
    return this.#members;
  }

  with(members: JsonObject): RuleScope {
    return this.#child(() => extended(this.members, members));
  }

  withMembers(compute: () => JsonObject): RuleScope {
    return this.#child(() => extended(this.members, compute()));
  }

  withLazy(name: string, compute: () => JsonValue): RuleScope {
    return this.#child(() => {
      const { [name]: _replaced, ...plain } = this.members.plain;
      return { plain, lazy: [...this.members.lazy.filter((m) => m.name !== name), lazyMember(name, compute)] };
    });
  }

  withObject(object: KubernetesObject): RuleScope {
    return this.#child(() => {
      const { request } = this.members.plain;
      return extended(this.members, { request: { ...(isObject(request) ? request : {}), object } });
    });
  }

  #child(members: () => Members): RuleScope {
    return new Scope(members, this.context, this.exceptions);
  }
}

const none: readonly PodSecurityException[] = [];

/** The scope that all rules start from that look at the same object in the same state. */
const baseOf = latest((context: RuleContext) => new Scope(() => baseMembers(context), context, none));

/** What the variables of a rule see before its own context entries. */
export function ruleScope(
  context: RuleContext,
  policy: PolicyId,
  rule: string,
  exceptions: readonly PodSecurityException[] = none,
): RuleScope {
  const base = baseOf(context);
  const supplied = context.supplied?.(policy, rule);
  return supplied === undefined && exceptions.length === 0 ? base : ownScope(base, supplied, exceptions);
}

function ownScope(base: Scope, supplied: JsonObject | undefined, exceptions: readonly PodSecurityException[]): RuleScope {
  const members = () => (supplied === undefined ? base.members : merged(base.members, supplied));
  return new Scope(members, base.context, exceptions);
}
