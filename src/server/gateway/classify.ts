import { hash } from "node:crypto";
import { requestInfo } from "../../access/classify/request-info.ts";
import { isDryRun, requestedAction } from "../../access/classify/requested-action.ts";
import type { Call } from "./call.ts";
import { valuesOf } from "./header-fields.ts";
import type { GatewayParts } from "./parts.ts";
import { type Refusal, refusal } from "./status.ts";
import { readTarget } from "./target.ts";

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const bodiless = new Set(["GET", "HEAD"]);

const emptyDigest: string = hash("sha256", "");

/** What is asked? As kube-apiserver reads the raw request line; what it might read in another way is refused. */
export function classify(call: Call, parts: GatewayParts): Refusal | undefined {
  if (!methods.has(call.method)) return refusal(405, `the method ${call.method} is not forwarded`, { close: true });
  const parsed = readTarget(call.target);
  if (!parsed.ok) return refusal(400, parsed.message, { close: true });
  if (bodiless.has(call.method) && hasBody(call)) return refusal(400, `${call.method} with a body is refused`, { close: true });
  const info = requestInfo(call.method, parsed.value);
  if (info.error !== undefined) return refusal(400, info.error);
  if (info.isResourceRequest && info.verb === "") return refusal(405, `${call.method} is no verb of the Kubernetes API`);
  call.info = info;
  const [contentType = ""] = valuesOf(call.fields, "content-type");
  const [contentEncoding = ""] = valuesOf(call.fields, "content-encoding");
  call.action = requestedAction(info, {
    cluster: parts.upstream.cluster,
    dryRun: isDryRun(call.method, parsed.value.rawQuery, hasBody(call)),
    http: { method: call.method, target: call.target, contentType, contentEncoding, bodyDigest: emptyDigest },
    namespaceLabels: info.namespace === "" ? undefined : parts.namespaceLabels(info.namespace),
    at: call.received,
  });
  return undefined;
}

export function hasBody(call: Call): boolean {
  const [length = "0"] = valuesOf(call.fields, "content-length");
  return length.trim() !== "0" || valuesOf(call.fields, "transfer-encoding").length > 0;
}

const streaming = new Set(["exec", "attach", "portforward"]);

export type StreamKind = "watch" | "log" | "exec" | "attach" | "portforward" | "proxy";

/** What stays open; undefined for what ends by itself. */
export function streamKind(call: Call): StreamKind | undefined {
  const { isResourceRequest, verb, resource, subresource } = call.info;
  if (!isResourceRequest) return undefined;
  if (subresource === "proxy") return "proxy";
  if (verb === "watch") return "watch";
  if (resource !== "pods" || call.info.apiGroup !== "") return undefined;
  if (subresource === "log") return "log";
  return streaming.has(subresource) && call.outlet.kind === "upgrade" ? asStreaming(subresource) : undefined;
}

function asStreaming(subresource: string): StreamKind | undefined {
  return subresource === "exec" || subresource === "attach" || subresource === "portforward" ? subresource : undefined;
}
