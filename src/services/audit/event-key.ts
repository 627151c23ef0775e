import { hash } from "node:crypto";
import { canonicalJson } from "../../core/canonical-json.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";

/**
 * What an event says of its request, in canonical order. Bodies and annotations are not among it: the API server cuts them
 * for one backend and not for another, and forwarders of logs add members of their own.
 */
const identifying = [
  "auditID",
  "impersonatedUser",
  "objectRef",
  "requestReceivedTimestamp",
  "requestURI",
  "responseStatus",
  "sourceIPs",
  "stage",
  "stageTimestamp",
  "user",
  "userAgent",
  "verb",
] as const;

/**
 * The ledger key of an event of `audit.k8s.io/v1`: `<cluster>/event/<SHA-256 in base64url>`. An event that is told again has the
 * same key. The auditID and the stage alone are none: the client chooses the auditID (the `Audit-ID` header), and could hide a
 * request behind an earlier one. A digest, as a text that the client chooses may be too long for an index, or be another's key.
 */
export function eventKey(event: JsonObject, cluster: string): string {
  const members: { [key: string]: JsonValue | undefined } = {};
  for (const member of identifying) members[member] = event[member];
  return `${cluster}/event/${hash("sha256", canonicalJson(members), "base64url")}`;
}
