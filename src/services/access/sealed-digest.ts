import { createHmac } from "node:crypto";
import { objectDigest } from "../../access/digest.ts";
import type { JsonObject } from "../../core/json.ts";

/**
 * What an approval binds an object by. Of a Secret it is sealed with the key that our replicas share: whoever sees it, in a request or in the
 * ledger, cannot try what the Secret may hold.
 */
export function sealedDigest(key: Uint8Array, object: JsonObject): string {
  const digest = objectDigest(object);
  const isSecret = object["kind"] === "Secret" && object["apiVersion"] === "v1";
  return isSecret ? createHmac("sha256", key).update(`castellan object ${digest}`).digest("hex") : digest;
}
