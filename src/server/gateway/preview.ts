import type { JsonObject } from "../../core/json.ts";
import { isKubernetesObject } from "../../core/kubernetes.ts";
import { secretOutline } from "../../services/redact-secrets.ts";
import { bodyObject } from "./body.ts";
import type { Call } from "./call.ts";
import type { PinnedObject } from "./pinned-object.ts";

/** For approvers: the object as it is and as it would be, where both are known without guessing; secrets show no values. */
export function previewOf(call: Call, found: PinnedObject): { readonly before?: JsonObject; readonly after?: JsonObject } {
  const before = found.ok ? found.object : undefined;
  const { verb, subresource } = call.action;
  const writesWhole = (verb === "create" || verb === "update") && (subresource === "" || subresource === "scale");
  const after = writesWhole ? bodyObject(call) : undefined;
  return {
    ...(before === undefined ? {} : { before: shown(before) }),
    ...(after === undefined ? {} : { after: shown(after) }),
  };
}

function shown(object: JsonObject): JsonObject {
  const isSecret = object["kind"] === "Secret" && object["apiVersion"] === "v1";
  if (isSecret) return secretOutline(object);
  if (!isKubernetesObject(object)) return object;
  const { metadata, ...rest } = object;
  if (metadata === undefined) return object;
  const { managedFields: _, ...kept } = metadata;
  return { ...rest, metadata: kept };
}
