import { type JsonObject, member } from "../../core/json.ts";
import { nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { latest } from "../../core/latest.ts";
import { once } from "../../core/once.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import type { Authorizer } from "../../languages/cel/libraries/kubernetes/authorizer.ts";
import { CelError, Unknown, type Value } from "../../languages/cel/values/value.ts";
import type { RuleContext } from "../policy.ts";
import { authorizerOf, requestedResource } from "./authorizer.ts";
import { heldObject } from "./held-object.ts";
import type { MatchedResource } from "./match-resources.ts";
import { resourceOf } from "./resource-name.ts";

/**
 * An admission request as the API server shows it to expressions: empty parts are absent.
 * @param as what the policy wants to see of the resource; itself unless given
 */
export function requestOf({ action, object, oldObject, resources }: RuleContext, as?: MatchedResource): JsonObject {
  const { actor, target } = action;
  const subject = object ?? oldObject;
  const namespace = target.namespace !== "" || subject === undefined ? target.namespace : namespaceOf(subject);
  const name = target.name !== "" || subject === undefined ? target.name : nameOf(subject);
  const kind = { group: target.group, version: target.version, kind: target.kind };
  const resource = { group: target.group, version: target.version, resource: resourceOf(target, resources) };
  const { subresource } = target;
  const seen = as ?? { ...kind, ...resource };
  return {
    kind: { group: seen.group, version: seen.version, kind: seen.kind },
    resource: { group: seen.group, version: seen.version, resource: seen.resource },
    requestKind: kind,
    requestResource: resource,
    ...(subresource === "" ? {} : { subResource: subresource, requestSubResource: subresource }),
    ...(name === "" ? {} : { name }),
    ...(namespace === "" ? {} : { namespace }),
    operation: action.operation,
    userInfo:
      actor === undefined
        ? {}
        : {
            username: actor.user,
            ...(actor.uid === undefined ? {} : { uid: actor.uid }),
            groups: actor.groups,
            ...(actor.extra === undefined ? {} : { extra: actor.extra }),
          },
    dryRun: action.dryRun,
    ...(action.options === undefined ? {} : { options: action.options }),
  };
}

/** `namespaceObject`: null for objects in no namespace; an error where it cannot be known. */
function namespaceObject({ action, object, oldObject, facts }: RuleContext): Value {
  const { target } = action;
  if (target.kind === "Namespace" && target.group === "") return null;
  const subject = object ?? oldObject;
  const name = target.namespace !== "" || subject === undefined ? target.namespace : namespaceOf(subject);
  if (name === "") return null;
  const need = { kind: "namespace", name } as const;
  const fact = facts.get(need);
  if (fact === undefined) return new Unknown([need]);
  if (fact.ok) return shown(fact.value);
  const { namespaceLabels } = action;
  if (namespaceLabels === undefined) return new CelError(`namespace ${name} is not known: ${fact.message}`);
  const labels = Object.keys(namespaceLabels).length === 0 ? {} : { labels: namespaceLabels };
  return { metadata: { name, ...labels } };
}

const shownMetadata = [
  "name",
  "generateName",
  "labels",
  "annotations",
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "resourceVersion",
  "finalizers",
] as const;

/** The fields of a namespace that the API server shows. */
function shown(namespace: Parameters<typeof member>[0]): JsonObject {
  const parts = (value: Parameters<typeof member>[0], keys: readonly string[]): JsonObject =>
    Object.fromEntries(keys.map((key) => [key, member(value, key)]).filter(([, part]) => part !== undefined));
  return {
    metadata: parts(member(namespace, "metadata"), shownMetadata),
    spec: parts(member(namespace, "spec"), ["finalizers"]),
    status: parts(member(namespace, "status"), ["conditions", "phase"]),
  };
}

/** Null: there is none. */
interface HeldObjects {
  readonly object: JsonObject | null;
  readonly oldObject: JsonObject | null;
}

/** What is computed once for all rules that look at the same object in the same state. */
interface Shared extends HeldObjects {
  readonly context: RuleContext;
  readonly request: () => Value;
  readonly namespaceObject: () => Value;
  /** Only Kyverno's own kinds have them. */
  readonly exceptions?: Value;
}

/** On whose behalf `authorizer` answers. */
interface Asking {
  readonly context: RuleContext;
  readonly authorizer: () => Authorizer;
}

const shared = Symbol("shared");
const asking = Symbol("asking");

/**
 * What expressions about an admission request see. One class, and never the prototype of another object: so looking up a
 * name costs a fraction of what it does where each object is of another shape.
 */
class AdmissionInputs implements Activation {
  readonly [name: string]: Value | undefined;
  readonly object: Value;
  readonly oldObject: Value;
  readonly params: Value | undefined;
  readonly variables: Value | undefined;
  readonly exceptions: Value | undefined;
  readonly [shared]: Shared;
  readonly [asking]: Asking | undefined;

  constructor(of: Shared, by: Asking | undefined, params: Value | undefined, variables: Value | undefined) {
    this.object = of.context.action.payload ?? of.object;
    this.oldObject = of.oldObject;
    this.params = params;
    this.variables = variables;
    this.exceptions = of.exceptions;
    this[shared] = of;
    this[asking] = by;
  }

  get request(): Value {
    return this[shared].request();
  }
  get namespaceObject(): Value {
    return this[shared].namespaceObject();
  }
  get authorizer(): Value | undefined {
    return this[asking]?.authorizer();
  }
  get "authorizer.requestResource"(): Value | undefined {
    const by = this[asking];
    return by && requestedResource(by.context, by.authorizer());
  }
}

/** Objects that were made from it have names of their own, which come first. */
const isPlain = (inputs: Activation): inputs is AdmissionInputs => Object.getPrototypeOf(inputs) === AdmissionInputs.prototype;

const sharedOf = latest(
  (context: RuleContext): Shared => ({
    context,
    object: heldObject(context.object, context) ?? null,
    oldObject: heldObject(context.oldObject, context) ?? null,
    request: once(() => requestOf(context)),
    namespaceObject: once(() => namespaceObject(context)),
  }),
);

/** `object`, `oldObject`, `request` and `namespaceObject`, computed when they are first read; the same for all rules. */
export const admissionInputs: (context: RuleContext) => Activation = latest(
  (context: RuleContext) => new AdmissionInputs(sharedOf(context), undefined, undefined, undefined),
);

/** The same with another `request`, which is made of the objects as expressions see them, and with `exceptions`. */
export function inputsWithExceptions(context: RuleContext, request: (held: HeldObjects) => Value, exceptions: Value): Activation {
  const of = sharedOf(context);
  return new AdmissionInputs({ ...of, request: once(() => request(of)), exceptions }, undefined, undefined, undefined);
}

/** The same inputs as an object of their own, to which names may be added. */
export function ownInputs(inputs: Activation): Activation {
  if (!isPlain(inputs)) return lazily({}, inputs);
  return new AdmissionInputs(inputs[shared], inputs[asking], inputs.params, inputs.variables);
}

/** The last answer: every rule about one object asks in the same way. */
let authorized: { readonly context: RuleContext; readonly inputs: Activation; readonly activation: Activation } | undefined;

/** Admission inputs with `authorizer` and `authorizer.requestResource`, on behalf of who acts. */
export function withAuthorizer(context: RuleContext, inputs: Activation): Activation {
  if (authorized?.context === context && authorized.inputs === inputs) return authorized.activation;
  const by = { context, authorizer: once(() => authorizerOf(context)) };
  const activation = isPlain(inputs)
    ? new AdmissionInputs(inputs[shared], by, inputs.params, inputs.variables)
    : lazily(
        { authorizer: by.authorizer, "authorizer.requestResource": () => requestedResource(context, by.authorizer()) },
        inputs,
      );
  authorized = { context, inputs, activation };
  return activation;
}

/** `inputs` with `params`. */
export function withParams(params: Value, inputs: Activation): Activation {
  if (!isPlain(inputs)) return lazily({ params: () => params }, inputs);
  return new AdmissionInputs(inputs[shared], inputs[asking], params, inputs.variables);
}

/** `inputs` with the `variables` that are made of them. */
export function withVariables(inputs: Activation, make: (of: () => Activation) => Value): Activation {
  const made: Activation = isPlain(inputs)
    ? new AdmissionInputs(
        inputs[shared],
        inputs[asking],
        inputs.params,
        make(() => made),
      )
    : lazily({ variables: once(() => make(() => made)) }, inputs);
  return made;
}

/** An activation whose members are computed once, when they are first read; `base` holds more. */
export function lazily(members: { readonly [name: string]: () => Value }, base: Activation | null = null): Activation {
  const activation: Activation = Object.create(base);
  for (const [name, compute] of Object.entries(members)) {
    let value: Value | undefined;
    Object.defineProperty(activation, name, {
      get: () => {
        value ??= compute();
        return value;
      },
    });
  }
  return activation;
}
