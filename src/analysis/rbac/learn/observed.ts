import { asString, isArray, type JsonObject, type JsonValue, member } from "../../../core/json.ts";
import type { RequestAttributes } from "../../../core/request-attributes.ts";
import { impersonationOf } from "./impersonation-events.ts";

/** One distinct request of one user, as often as it was made. */
export interface ObservedRequest {
  readonly request: RequestAttributes;
  /** Refused every time: granting it would widen what the user has. */
  readonly denied: boolean;
  readonly count: number;
  /** RFC 3339; empty where the events carry no time. */
  readonly last: string;
}

interface Entry {
  readonly request: RequestAttributes;
  denied: boolean;
  count: number;
  last: string;
}

/**
 * Takes audit events one by one and keeps the distinct requests of every user: memory grows with what differs, not with
 * the log. Source of the fields: audit.k8s.io/v1 Event.
 */
export class AuditLearner {
  readonly #users = new Map<string, Map<string, Entry>>();
  /** Events that say what somebody did. */
  events = 0;
  /** Values that are no audit events. */
  invalid = 0;

  /** One line of a log: an Event, or an EventList. */
  add(value: JsonValue): void {
    const items = member(value, "items");
    if (isArray(items)) for (const item of items) this.add(item);
    else if (!this.#addEvent(value)) this.invalid++;
  }

  users(): readonly string[] {
    return [...this.#users.keys()].sort();
  }

  /** In the order in which they were first seen. */
  requestsOf(user: string): readonly ObservedRequest[] {
    return [...(this.#users.get(user)?.values() ?? [])];
  }

  #addEvent(event: JsonValue): boolean {
    const verb = asString(member(event, "verb"));
    // What is done under another name is done with that one's rights.
    const actor = member(event, "impersonatedUser") ?? member(event, "user");
    const user = asString(member(actor, "username"));
    if (verb === undefined || user === undefined || user === "") return false;
    this.events++;
    // What came of it is told by a later event of the same request.
    if (member(event, "stage") === "RequestReceived") return true;
    const reference = member(event, "objectRef");
    const text = (key: string) => asString(member(reference, key)) ?? "";
    const isResourceRequest = reference !== undefined && reference !== null;
    const path = isResourceRequest ? "" : pathOf(asString(member(event, "requestURI")) ?? "");
    const resource = text("resource");
    const subresource = text("subresource");
    // The name of an object that is being created is not part of what is authorised.
    const name = verb === "create" && subresource === "" ? "" : text("name");
    const last = timeOf(event);
    const denied = isDenied(event);
    const request: RequestAttributes = {
      user,
      groups: stringsOf(member(actor, "groups")),
      verb,
      isResourceRequest,
      path,
      namespace: text("namespace"),
      apiGroup: text("apiGroup"),
      resource,
      subresource,
      name,
    };
    this.#record(request, denied, last);
    // A refused request may have been refused for the impersonation itself.
    if (!denied) for (const asked of impersonationOf(event, request)) this.#record(asked, false, last);
    return true;
  }

  #record(request: RequestAttributes, denied: boolean, last: string): void {
    const { user, verb, apiGroup, resource, subresource, namespace, name, path, groups } = request;
    const key = `${verb} ${apiGroup} ${resource} ${subresource} ${namespace} ${name} ${path} ${groups.join(" ")}`;
    let requests = this.#users.get(user);
    if (requests === undefined) {
      requests = new Map();
      this.#users.set(user, requests);
    }
    const known = requests.get(key);
    if (known === undefined) {
      requests.set(key, { request, denied, count: 1, last });
      return;
    }
    known.count++;
    if (last > known.last) known.last = last;
    if (!denied) known.denied = false;
  }
}

function pathOf(uri: string): string {
  const query = uri.indexOf("?");
  return query < 0 ? uri : uri.slice(0, query);
}

function stringsOf(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** Events of v1alpha1 had `timestamp`. */
function timeOf(event: JsonValue): string {
  return asString(member(event, "requestReceivedTimestamp")) ?? asString(member(event, "timestamp")) ?? "";
}

/** The authorizer says so itself; where its annotation is cut away, the status does. */
function isDenied(event: JsonValue): boolean {
  const annotations: JsonValue | JsonObject | undefined = member(event, "annotations");
  const decision = asString(member(annotations, "authorization.k8s.io/decision"));
  return decision === undefined ? member(member(event, "responseStatus"), "code") === 403 : decision === "forbid";
}
