import type { Operation } from "../../core/action.ts";
import { requireFact } from "../../core/facts.ts";
import { asString, isObject, member } from "../../core/json.ts";
import { labelsOf } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";
import { effectiveVerb } from "../../core/resource-rule.ts";
import type { ShownUser } from "../../languages/cel/action-condition.ts";
import { resourceOf } from "../cel/resource-name.ts";
import type { RuleContext } from "../policy.ts";
import type { GuardedAction } from "./guardrail.ts";

const verbs: { readonly [operation in Operation]: string } = {
  CREATE: "create",
  UPDATE: "update",
  DELETE: "delete",
  CONNECT: "connect",
};

/** What the API server says of a user: the directory is not asked at admission. */
function userOf({ actor }: RuleContext["action"]): ShownUser {
  const name = actor?.user ?? "";
  return {
    name,
    groups: actor?.groups ?? [],
    issuer: actor?.issuer ?? "",
    subject: "",
    human: "",
    email: "",
    team: "",
    isProgram: /^system:(serviceaccount|node):/.test(name),
  };
}

function namespaceLabels(context: RuleContext, namespace: string): Labels | undefined {
  const { action, facts } = context;
  if (namespace === "") return undefined;
  // As it was: who takes the label off a namespace must not be free by it.
  const own = context.oldObject ?? context.object;
  if (action.target.kind === "Namespace" && action.target.group === "" && own !== undefined) return labelsOf(own);
  if (action.namespaceLabels !== undefined) return action.namespaceLabels;
  const found = requireFact(facts, { kind: "namespace", name: namespace });
  return isObject(found) ? labelsOf({ ...found, apiVersion: "v1", kind: "Namespace" }) : undefined;
}

/** An action at admission, on files or in a test, as guardrails see it. */
export function guardedAction(context: RuleContext): GuardedAction {
  const { action, object, oldObject, resources } = context;
  const { target } = action;
  const metadata = (object ?? oldObject)?.metadata;
  const name = target.name || (asString(member(metadata, "name")) ?? "");
  const resource = resourceOf(target, resources);
  const namespace = target.namespace || (asString(member(metadata, "namespace")) ?? "");
  const group = target.resourceGroup ?? target.group;
  const place = resource === "namespaces" && group === "" ? name : namespace;
  return {
    at: action.at,
    object,
    oldObject,
    user: userOf(action),
    namespaceLabels: () => namespaceLabels(context, place),
    action: {
      cluster: action.cluster ?? "",
      verb: effectiveVerb(verbs[action.operation], target.subresource),
      operation: action.operation,
      group,
      version: target.version,
      resource,
      subresource: target.subresource,
      namespace,
      namespaceLabels: {},
      name,
      generateName: name === "" ? (asString(member(metadata, "generateName")) ?? "") : "",
      dryRun: action.dryRun,
    },
  };
}
