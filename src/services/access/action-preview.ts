import { hash } from "node:crypto";
import type { Ask } from "../../access/request.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { parseUnambiguousJson } from "../../core/exact-json.ts";
import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { applyJsonPatch, applyMergePatch, parseJsonPatch } from "../../core/json-patch.ts";
import { isKubernetesObject } from "../../core/kubernetes.ts";
import { applyServerMerge } from "../../core/server-merge.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { secretOutline } from "../redact-secrets.ts";

type Preview = NonNullable<Extract<Ask, { type: "action" }>["preview"]>;

const mark = "<redacted>";

/**
 * For approvers: what was sent, the object as it is, and as it would be where that is known without guessing. Secrets show no
 * values. What the API server alone can merge (server-side apply onto an object that exists) is shown as it was sent.
 */
export function actionPreview(action: RequestedAction, before: JsonObject | undefined, body: Buffer | undefined): Preview {
  const isSecret = action.resource === "secrets" && action.apiGroup === "";
  const read = sentValue(action, body);
  // Before anything is made of them: a patch may copy values, or call a Secret something else.
  const sent = isSecret && read !== undefined ? withoutValues(read) : read;
  const old = isSecret && before !== undefined ? defined(secretOutline(before)) : before;
  // The outline of a Secret's patch leaves out what speaks to the merge: what comes of that is not shown wrong, but not at all.
  const isKnown = sent !== undefined && !(isSecret && speaksToMerge(read));
  const after = isKnown ? afterOf(action, old, sent) : undefined;
  const isBare = sent === undefined || (isObject(sent) && Object.keys(sent).length === 0);
  return {
    ...(before === undefined ? {} : { before: isSecret && old !== undefined ? old : shown(before) }),
    ...(after === undefined ? {} : { after: shown(after) }),
    ...(isBare ? {} : { sent }),
    ...(isUnread(action, body) ? { unread: true } : {}),
  };
}

/** Whether there is a body of which nobody can say what it asks for. */
export function isUnread(action: RequestedAction, body: Buffer | undefined): boolean {
  return body !== undefined && body.length > 0 && sentValue(action, body) === undefined;
}

/**
 * The body as a value; undefined where it is compressed, binary, no single document or says something twice: nothing is guessed.
 */
function sentValue({ http }: RequestedAction, body: Buffer | undefined): JsonValue | undefined {
  if (body === undefined || body.length === 0 || http.contentEncoding !== "") return undefined;
  const type = (http.contentType || "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
  const text = body.toString("utf8");
  if (type === "application/json" || type.endsWith("+json")) return parseUnambiguousJson(text);
  if (!type.endsWith("yaml")) return undefined;
  const { documents, diagnostics } = parseDocuments(text, "body");
  const [only, ...others] = documents;
  return others.length === 0 && diagnostics.length === 0 ? only?.value : undefined;
}

function afterOf(action: RequestedAction, before: JsonObject | undefined, sent: JsonValue): JsonObject | undefined {
  const { verb, subresource, http } = action;
  if (verb === "create" || verb === "update") return subresource === "" && isObject(sent) ? sent : scaled(action, before, sent);
  if (verb !== "patch") return undefined;
  const type = http.contentType.split(";")[0]?.trim().toLowerCase();
  if (subresource !== "") return type === "application/merge-patch+json" ? scaled(action, before, sent) : undefined;
  if (type === "application/apply-patch+yaml" && before === undefined) return isObject(sent) ? sent : undefined;
  if (before === undefined) return undefined;
  if (type === "application/merge-patch+json") return asObject(applyMergePatch(before, sent));
  if (type === "application/strategic-merge-patch+json") {
    const merged =
      isObject(sent) && isKubernetesObject(before) ? applyServerMerge(before, sent, loadKubernetesSchemas()) : undefined;
    return merged?.ok === true ? merged.value : undefined;
  }
  if (type !== "application/json-patch+json") return undefined;
  const patch = parseJsonPatch(sent);
  const patched = patch.ok ? applyJsonPatch(before, patch.patch) : patch;
  return patched.ok ? asObject(patched.value) : undefined;
}

/** Whether a strategic patch has words for the merge (`$patch`, `$retainKeys`, ...) among its members. */
function speaksToMerge(value: JsonValue | undefined): boolean {
  if (isArray(value)) return value.some(speaksToMerge);
  return isObject(value) && Object.entries(value).some(([key, one]) => key.startsWith("$") || speaksToMerge(one));
}

/** What is read for a call to `scale` is the object itself, of which it changes one number. */
function scaled({ subresource }: RequestedAction, before: JsonObject | undefined, sent: JsonValue): JsonObject | undefined {
  const spec = before?.["spec"];
  const replicas = member(member(sent, "spec"), "replicas");
  if (subresource !== "scale" || !isObject(spec) || typeof replicas !== "number") return undefined;
  return { ...before, spec: { ...spec, replicas } };
}

const asObject = (value: JsonValue): JsonObject | undefined => (isObject(value) ? value : undefined);

function shown(object: JsonObject): JsonObject {
  if (object["kind"] === "Secret" && object["apiVersion"] === "v1") return secretOutline(object);
  const { metadata } = object;
  if (!isObject(metadata)) return object;
  const { managedFields: _, annotations, ...kept } = metadata;
  const more = annotations === undefined ? {} : { annotations: isObject(annotations) ? shortened(annotations) : annotations };
  return { ...object, metadata: { ...kept, ...more } };
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** That kubectl's copy of what was applied is another is worth a line; what it says stands in the object itself. */
function shortened(annotations: JsonObject): JsonObject {
  const copy = annotations[lastApplied];
  if (typeof copy !== "string") return annotations;
  return { ...annotations, [lastApplied]: `<copy ${hash("sha256", copy).slice(0, 12)} of what was applied>` };
}

/** Of a Secret or a patch of one: which keys, never what they hold. */
function withoutValues(sent: JsonValue): JsonValue {
  if (isArray(sent)) return sent.map((one) => (isObject(one) && one["value"] !== undefined ? { ...one, value: mark } : one));
  if (!isObject(sent)) return mark;
  const outline = secretOutline(sent);
  return defined({
    ...outline,
    data: withRemoved(sent["data"], outline["data"]),
    stringData: withRemoved(sent["stringData"], outline["stringData"]),
  });
}

/** A patch removes a key by null, which tells no value. */
function withRemoved(sent: JsonValue | undefined, outline: JsonValue | undefined): JsonValue | undefined {
  if (sent === null || !isObject(sent) || !isObject(outline)) return sent === null ? null : outline;
  return Object.fromEntries(Object.entries(outline).map(([key, value]) => [key, sent[key] === null ? null : value]));
}

const defined = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
