import type { RequestedAction } from "../../access/requested-action.ts";
import { parseExactJson } from "../../core/exact-json.ts";
import { asString, isObject, type JsonObject, member } from "../../core/json.ts";
import type { Call } from "./call.ts";
import { identityFields } from "./identity-fields.ts";
import type { GatewayParts } from "./parts.ts";

/** The object as it is; `object` undefined where there is none. */
export type PinnedObject =
  | { readonly ok: true; readonly object: JsonObject | undefined }
  | { readonly ok: false; readonly message: string };

const reads = new Set(["get", "list", "watch"]);
const maximumBytes = 8 * 1024 * 1024;
const readMilliseconds = 10_000;
const known = new WeakMap<Call, PinnedObject>();

/**
 * Reads the object that a call is about, once, and puts its UID and digest into the action: as the person where they may, else by the
 * gateway's own right. Nothing is read for reads, collections and names that the server makes.
 */
export async function pinned(call: Call, parts: GatewayParts): Promise<PinnedObject> {
  const before = known.get(call);
  if (before !== undefined) return before;
  const found = await readObject(call, parts);
  known.set(call, found);
  const uid = found.ok ? asString(member(found.object?.["metadata"], "uid")) : undefined;
  if (found.ok && found.object !== undefined && uid !== undefined) {
    call.action = { ...call.action, pinned: { uid, digest: parts.digestOf(found.object) } };
  }
  return found;
}

/** The same as it is by now: what was read before somebody was waited for is not believed. */
export function pinnedAnew(call: Call, parts: GatewayParts): Promise<PinnedObject> {
  const { pinned: _, ...action } = call.action;
  call.action = action;
  known.delete(call);
  return pinned(call, parts);
}

/** The object that an action is about. */
export async function readObject(
  { action, person }: Pick<Call, "action" | "person">,
  parts: Pick<GatewayParts, "rights" | "upstream">,
): Promise<PinnedObject> {
  if (!action.isResourceRequest || action.name === "" || reads.has(action.verb)) return { ok: true, object: undefined };
  const get = { ...action, verb: "get", subresource: "" };
  const mayRead = (await parts.rights.covers(person, get)).covered === true;
  const identity = mayRead ? identityFields(person, undefined) : { ok: true as const, fields: [] };
  if (!identity.ok) return identity;
  const { status, body } = await fetchObject(parts, objectPath(action), identity.fields).catch((error: unknown) => ({
    status: 0,
    body: error instanceof Error ? error.message : String(error),
  }));
  if (status === 404) return { ok: true, object: undefined };
  if (status !== 200) return { ok: false, message: `it cannot be read (${status === 0 ? body : `HTTP status ${status}`})` };
  try {
    const value = parseExactJson(body);
    if (isObject(value)) return { ok: true, object: value };
  } catch {
    // Answered below.
  }
  return { ok: false, message: "it cannot be read: the answer is no object" };
}

/** Of the object itself, without its subresource; built from decoded parts, each encoded again. */
function objectPath(action: RequestedAction): string {
  const group = action.apiGroup === "" ? "api" : `apis/${encodeURIComponent(action.apiGroup)}`;
  const isNamespace = action.apiGroup === "" && action.resource === "namespaces";
  const namespace = action.namespace === "" || isNamespace ? "" : `/namespaces/${encodeURIComponent(action.namespace)}`;
  return `/${group}/${encodeURIComponent(action.apiVersion)}${namespace}/${encodeURIComponent(action.resource)}/${encodeURIComponent(action.name)}`;
}

function fetchObject(
  { upstream }: Pick<GatewayParts, "upstream">,
  target: string,
  identity: readonly (readonly [string, string])[],
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let size = 0;
    const fields = [["Accept", "application/json"], ...identity] as const;
    const exchange = upstream.send(
      { method: "GET", target, fields, body: undefined },
      {
        head: (code) => {
          status = code;
        },
        data: (chunk) => {
          size += chunk.length;
          if (size > maximumBytes) {
            exchange.abort();
            reject(new Error("the object is too large"));
          } else chunks.push(chunk);
          return true;
        },
        end: () => {
          clearTimeout(timer);
          resolve({ status, body: Buffer.concat(chunks).toString("utf8") });
        },
        fail: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      },
    );
    const timer = setTimeout(() => {
      exchange.abort();
      reject(new Error("the API server did not answer in time"));
    }, readMilliseconds);
  });
}
