import type { Ask } from "../../access/request.ts";
import type { JsonObject } from "../../core/json.ts";
import { isObject } from "../../core/json.ts";
import { secretOutline } from "../redact-secrets.ts";

type Preview = Extract<Ask, { type: "action" }>["preview"];

/** A preview without what Secrets hold. Values that are marks (`<...>`) already stay, since they may say what changes. */
export function withoutSecrets(preview: Preview): Preview {
  if (preview === undefined) return undefined;
  const { before, after, sent, unread } = preview;
  const shownSent = isObject(sent) ? outlined(sent) : sent;
  return {
    before: before && outlined(before),
    after: after && outlined(after),
    ...(sent === undefined ? {} : { sent: shownSent }),
    ...(unread === true ? { unread } : {}),
  };
}

function outlined(object: JsonObject): JsonObject {
  return object["kind"] === "Secret" && !isMarked(object) ? secretOutline(object) : object;
}

function isMarked({ data, stringData, metadata }: JsonObject): boolean {
  const marks = [data, stringData].flatMap((map) => (isObject(map) ? Object.values(map) : []));
  const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
  const applied = isObject(annotations) && annotations["kubectl.kubernetes.io/last-applied-configuration"] !== undefined;
  return !applied && marks.every((value) => typeof value === "string" && /^<[^<>]*>$/.test(value));
}
