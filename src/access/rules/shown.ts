import { asString, type JsonValue, member } from "../../core/json.ts";
import { effectiveVerb } from "../../core/resource-rule.ts";
import type { ShownAction, ShownUser } from "../../languages/cel/action-condition.ts";
import type { Person } from "../person.ts";
import type { Ask } from "../request.ts";
import type { RequestedAction } from "../requested-action.ts";
import type { Directory } from "./directory.ts";

const connects: ReadonlySet<string> = new Set(["exec", "attach", "portforward", "proxy"]);
const operations: { readonly [verb: string]: string } = {
  get: "READ",
  list: "READ",
  watch: "READ",
  create: "CREATE",
  update: "UPDATE",
  patch: "UPDATE",
  delete: "DELETE",
  deletecollection: "DELETE",
};

/** An action as conditions see it; a new object's name, or the beginning of the one it will get, is read from the object. */
export function shownAction(action: RequestedAction, object: JsonValue | undefined): ShownAction {
  const metadata = member(object, "metadata");
  const own = (key: string) => (action.verb === "create" ? (asString(member(metadata, key)) ?? "") : "");
  const name = action.name || own("name");
  return {
    cluster: action.cluster,
    verb: effectiveVerb(action.verb, action.subresource),
    operation: connects.has(action.subresource) ? "CONNECT" : (operations[action.verb] ?? "CONNECT"),
    group: action.apiGroup,
    version: action.apiVersion,
    resource: action.resource,
    subresource: action.subresource,
    namespace: action.namespace,
    namespaceLabels: action.namespaceLabels ?? {},
    name,
    generateName: name === "" ? own("generateName") : "",
    dryRun: action.dryRun,
  };
}

/** A session or an exception as conditions see it: its type is the verb. */
export function shownAsk(
  ask: Exclude<Ask, { readonly type: "action" }>,
  labels: ShownAction["namespaceLabels"],
  cluster: string,
): ShownAction {
  const shown = {
    cluster,
    verb: ask.type,
    operation: "",
    group: "",
    version: "",
    resource: "",
    subresource: "",
    namespaceLabels: labels,
    name: "",
    generateName: "",
    dryRun: false,
  };
  if (ask.type === "session") return { ...shown, namespace: ask.namespace };
  return { ...shown, namespace: ask.object.namespace, name: ask.object.name };
}

export function shownUser(person: Person, directory: Directory): ShownUser {
  const { user, groups, issuer, subject, human, email = "", isProgram } = person;
  return { name: user, groups, issuer, subject, human, email, team: directory.teamOf(human, groups) ?? "", isProgram };
}
