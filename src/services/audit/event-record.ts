import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";

import { redacted, secretOutline } from "../redact-secrets.ts";
import { eventKey } from "./event-key.ts";

/** What a value that should be an audit event is: a record, or why it is none. */
export type EventReading = { readonly ok: true; readonly record: NewRecord } | { readonly ok: false; readonly reason: string };

/** The events of an `EventList`, or the one event that a value is. */
export function eventsOf(value: JsonValue): readonly JsonValue[] {
  const items = member(value, "items");
  return isArray(items) ? items : [value];
}

/**
 * An event of `audit.k8s.io/v1` as a record. The actor is the impersonated user where there is one; who impersonated is in
 * the data. An event that is told again has the same key: the API server sends a batch again when it heard no answer.
 */
export function eventRecord(event: JsonValue, cluster: string): EventReading {
  if (!isObject(event)) return { ok: false, reason: "it is no JSON object" };
  const text = (value: JsonValue | undefined, key: string) => asString(member(value, key));
  const verb = text(event, "verb");
  if (text(event, "auditID") === undefined || text(event, "stage") === undefined || verb === undefined) {
    return { ok: false, reason: "it has no auditID, stage or verb, as every audit event does" };
  }
  const at = Date.parse(text(event, "stageTimestamp") ?? text(event, "requestReceivedTimestamp") ?? "");
  if (Number.isNaN(at)) return { ok: false, reason: "it has no stageTimestamp" };
  const reference = event["objectRef"];
  const subresource = text(reference, "subresource");
  const resource = text(reference, "resource");
  const code = member(event["responseStatus"], "code");
  const record: NewRecord = {
    kind: "audit.event",
    at,
    cluster,
    actor: text(event["impersonatedUser"], "username") ?? text(event["user"], "username"),
    verb,
    group: isObject(reference) ? (text(reference, "apiGroup") ?? "") : undefined,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace: text(reference, "namespace"),
    name: text(reference, "name"),
    outcome: typeof code === "number" ? String(code) : undefined,
    key: eventKey(event, cluster),
    data: withoutSecrets(event, resource, subresource),
  };
  return { ok: true, record };
}

/** Bodies that carry secrets by their nature: Secrets, and tokens that the API server issues. */
function withoutSecrets(event: JsonObject, resource: string | undefined, subresource: string | undefined): JsonObject {
  const secret = resource === "secrets" || subresource === "token" || resource === "tokenreviews";
  const clean: { [key: string]: JsonValue | undefined } = { ...event };
  for (const body of ["requestObject", "responseObject"]) {
    const value = event[body];
    if (value !== undefined) clean[body] = secret ? outline(value) : withoutLastApplied(value);
  }
  return clean;
}

/** Of an object that may hold secrets only its outline; a patch shows nothing. */
function outline(value: JsonValue): JsonValue {
  return isObject(value) && asString(value["kind"]) !== undefined ? secretOutline(value) : redacted;
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** The annotation repeats the object, and a Secret inside a list would be missed. */
function withoutLastApplied(value: JsonValue): JsonValue {
  if (isArray(value)) return value.map(withoutLastApplied);
  if (!isObject(value)) return value;
  if (value["kind"] === "Secret" && value["apiVersion"] === "v1") return outline(value);
  const clean: { [key: string]: JsonValue | undefined } = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === "items" && isArray(item)) clean[key] = item.map(withoutLastApplied);
    else if (key === "metadata" && isObject(member(item, "annotations"))) {
      const annotations = member(item, "annotations");
      const rest = isObject(annotations)
        ? Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== lastApplied))
        : {};
      clean[key] = { ...(isObject(item) ? item : {}), annotations: rest };
    } else clean[key] = item;
  }
  return clean;
}
