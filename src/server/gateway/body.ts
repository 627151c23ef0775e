import { hash } from "node:crypto";
import { Transform } from "node:stream";
import { parseUnambiguousJson } from "../../core/exact-json.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import type { Call } from "./call.ts";
import { hasBody } from "./classify.ts";
import { valuesOf } from "./header-fields.ts";
import type { GatewayParts } from "./parts.ts";
import { type Refusal, refusal } from "./status.ts";

const tooLarge = (limit: number) => refusal(413, `the body is larger than ${limit} bytes`, { close: true });

/** Whether the length that the client tells is too much already. */
export function lengthProblem(call: Call, limit: number): Refusal | undefined {
  const [length] = valuesOf(call.fields, "content-length");
  return length !== undefined && Number(length) > limit ? tooLarge(limit) : undefined;
}

/** Reads the body whole, once, and puts its digest into the action. */
export async function readBody(call: Call, parts: GatewayParts): Promise<Refusal | undefined> {
  if (call.body !== undefined) return undefined;
  const limit = parts.limits.bodyBytes;
  const problem = lengthProblem(call, limit);
  if (problem !== undefined) return problem;
  const chunks: Buffer[] = [];
  let size = 0;
  if (hasBody(call)) {
    for await (const chunk of call.request) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      size += bytes.length;
      if (size > limit) return tooLarge(limit);
      chunks.push(bytes);
    }
  }
  const body = Buffer.concat(chunks);
  call.body = body;
  call.action = { ...call.action, http: { ...call.action.http, bodyDigest: hash("sha256", body) } };
  return undefined;
}

/** The object that a body is; undefined where it is not plain JSON: nothing is guessed. */
export function bodyObject({ action, body }: Pick<Call, "action" | "body">): JsonObject | undefined {
  return jsonObject(action.http, body);
}

export function jsonObject(
  { contentType, contentEncoding }: Pick<Call["action"]["http"], "contentType" | "contentEncoding">,
  body: Buffer | undefined,
): JsonObject | undefined {
  if (body === undefined || contentEncoding !== "" || !/^application\/json\b/i.test(contentType || "application/json")) {
    return undefined;
  }
  const value = parseUnambiguousJson(body.toString("utf8"));
  return value !== undefined && isObject(value) ? value : undefined;
}

export class BodyTooLarge extends Error {}

/** Counts what streams by; more than the limit breaks it. */
export function capped(limit: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > limit) done(new BodyTooLarge());
      else done(null, chunk);
    },
  });
}
