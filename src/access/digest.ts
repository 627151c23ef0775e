import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { canonicalJson } from "../core/canonical-json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { isObject } from "../core/json.ts";
import type { Person } from "./person.ts";
import type { RequestedAction } from "./requested-action.ts";

/** Whose approval it is: that of one version of one rule. */
export interface RuleVersion {
  readonly name: string;
  readonly version: string;
}

const digestOf = (value: JsonValue): string => bytesToHex(sha256(utf8ToBytes(canonicalJson(value))));

/**
 * What an approval of a single action is bound to, hex SHA-256: another cluster, person, byte of the call, state of the object
 * or version of the rule gives another digest. The raw target and the digest of the raw body are taken as they were sent: two
 * texts that mean one manifest are two actions.
 */
export function actionDigest(action: RequestedAction, person: Person, rule: RuleVersion): string {
  const { method, target, contentType, contentEncoding, bodyDigest } = action.http;
  const { pinned } = action;
  return digestOf({
    cluster: action.cluster,
    issuer: person.issuer,
    subject: person.subject,
    user: person.user,
    method,
    target,
    contentType,
    contentEncoding,
    bodyDigest,
    object: pinned === undefined ? null : { uid: pinned.uid, digest: pinned.digest },
    rule: { name: rule.name, version: rule.version },
  });
}

/** What an object is, hex SHA-256: without its status and what the server counts, which change while nobody changes it. */
export function objectDigest(object: JsonObject): string {
  const { status: _, metadata, ...rest } = object;
  if (!isObject(metadata)) return digestOf({ ...rest, metadata });
  const { managedFields: _managed, resourceVersion: _version, ...kept } = metadata;
  return digestOf({ ...rest, metadata: kept });
}
