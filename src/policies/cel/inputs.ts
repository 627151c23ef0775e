import { type JsonObject, member } from "../../core/json.ts";
import { nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import { CelError, Unknown, type Value } from "../../languages/cel/values/value.ts";
import type { RuleContext } from "../policy.ts";
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

/** Kept with the context, for all rules. */
const known = new WeakMap<RuleContext, Activation>();

/** `object`, `oldObject`, `request` and `namespaceObject`, computed when they are first read. */
export function admissionInputs(context: RuleContext): Activation {
  let inputs = known.get(context);
  if (inputs === undefined) {
    const objects = { object: context.action.payload ?? context.object ?? null, oldObject: context.oldObject ?? null };
    inputs = lazily({ request: () => requestOf(context), namespaceObject: () => namespaceObject(context) }, objects);
    known.set(context, inputs);
  }
  return inputs;
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
