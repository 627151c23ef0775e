import type { Need } from "../../core/facts.ts";
import { asString, isArray, isObject, type JsonValue, member } from "../../core/json.ts";

export type ApiCallNeed = Extract<Need, { readonly kind: "api-call" | "http-call" }>;

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

function keyed(items: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  return listOf(items).map((item) => [asString(member(item, "key")) ?? "", member(item, "value") ?? null]);
}

/**
 * What an `apiCall` (its variables substituted) asks for: a path of the API server, or a service.
 * @throws Error where it names neither
 */
export function apiCallNeed(call: JsonValue): ApiCallNeed {
  const urlPath = asString(member(call, "urlPath")) ?? "";
  const service = member(call, "service");
  const method = member(call, "method") === "POST" ? "POST" : "GET";
  const body = method === "POST" ? { body: Object.fromEntries(keyed(member(call, "data"))) } : {};
  if (urlPath !== "") return { kind: "api-call", method, path: urlPath, ...body };
  if (!isObject(service)) throw new Error("missing service for APICall");
  const headers = Object.fromEntries(keyed(service["headers"]).map(([key, value]) => [key, String(value)]));
  const caBundle = asString(service["caBundle"]) ?? "";
  const url = asString(service["url"]) ?? "";
  return { kind: "http-call", method, url, headers, ...body, ...(caBundle === "" ? {} : { caBundle }) };
}
