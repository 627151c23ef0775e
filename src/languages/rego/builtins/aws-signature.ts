import { hostOf, parseUrl, plainParts } from "../../../core/go-url.ts";
import { anyType, numberType, objectOf, stringType } from "../types/type.ts";
import { compareStrings } from "../values/compare.ts";
import { formatJson } from "../values/json.ts";
import { int64Of, type NumberValue } from "../values/number.ts";
import { printValue } from "../values/print.ts";
import { bytesOf } from "../values/text.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import type { Builtin, BuiltinResult } from "./builtin.ts";
import { authenticate, digest } from "./crypto/hashes.ts";
import { encodeHex } from "./encoding.ts";
import { requestProblem } from "./http-request.ts";
import { declared, failure, number, object, operandError, ternary, typeError } from "./operand.ts";

const required = ["aws_service", "aws_access_key", "aws_secret_access_key", "aws_region"];

const textAt = (members: RegoObject, key: string): string => {
  const value = members.get(key);
  return typeof value === "string" ? value : "";
};

/** `20151228T140825Z` */
function compactTime(nanoseconds: bigint): string {
  const seconds = nanoseconds / 1_000_000_000n - (nanoseconds % 1_000_000_000n < 0n ? 1n : 0n);
  return new Date(Number(seconds) * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
}

function bodyOf(request: RegoObject): string {
  const raw = request.get("raw_body");
  if (raw !== undefined) return typeof raw === "string" ? raw : "";
  const body = request.get("body");
  return body === undefined ? "" : formatJson(body);
}

const unsignedHeaders = new Set(["authorization", "user-agent", "x-amzn-trace-id"]);
const sha256 = (text: string): string => encodeHex(digest("sha256", bytesOf(text)));

/** A request as it is signed. */
interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly contentHash: string;
  readonly time: string;
}

/** The Authorization header of Signature Version 4. */
function authorization(request: SignedRequest, config: RegoObject): string {
  const headers = [...request.headers].sort(([a], [b]) => compareStrings(a, b));
  const names = headers.map(([name]) => name).join(";");
  const lines = headers.map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical = [request.method, request.path, request.query, lines, names, request.contentHash].join("\n");
  const day = request.time.slice(0, 8);
  const scope = [day, textAt(config, "aws_region"), textAt(config, "aws_service"), "aws4_request"];
  const toSign = ["AWS4-HMAC-SHA256", request.time, scope.join("/"), sha256(canonical)].join("\n");
  const mac = (key: Uint8Array, text: string): Uint8Array => authenticate("sha256", key, bytesOf(text));
  const secret: Uint8Array = bytesOf(`AWS4${textAt(config, "aws_secret_access_key")}`);
  const key = scope.reduce(mac, secret);
  const credential = [textAt(config, "aws_access_key"), ...scope].join("/");
  return `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${encodeHex(mac(key, toSign))}`;
}

function configProblem(config: RegoObject): BuiltinResult {
  const missing = RegoSet.of(required.filter((key) => !config.has(key)));
  if (missing.size > 0) return operandError(2, `missing required AWS config parameters(s): ${printValue(missing)}`);
  const invalid = RegoSet.of(required.filter((key) => typeof config.get(key) !== "string"));
  if (invalid.size === 0) return undefined;
  return operandError(2, `invalid values for required AWS config parameters(s): ${printValue(invalid)}`);
}

function signRequest(request: RegoObject, config: RegoObject, time: NumberValue): BuiltinResult {
  const badConfig = configProblem(config);
  if (badConfig !== undefined) return badConfig;
  const nanoseconds = int64Of(time);
  if (nanoseconds === undefined) return operandError(3, "could not convert time_ns value into a unix timestamp");
  const badRequest = requestProblem(request);
  if (badRequest !== undefined) return badRequest;
  const headers = request.has("headers") ? (request.get("headers") ?? null) : RegoObject.empty;
  if (!(headers instanceof RegoObject)) return typeError(0, headers, "object");
  const invalid = RegoSet.of(["method", "url"].filter((key) => typeof request.get(key) !== "string"));
  if (invalid.size > 0) return operandError(1, `invalid values for required request parameters(s): ${printValue(invalid)}`);
  const url = parseUrl(textAt(request, "url"));
  if (!url.ok) return failure(url.message);
  const unsigned = config.has("disable_payload_signing") ? config.get("disable_payload_signing") : false;
  if (typeof unsigned !== "boolean") return operandError(2, "invalid value for 'disable_payload_signing' in AWS config");
  const contentHash = unsigned ? "UNSIGNED-PAYLOAD" : sha256(bodyOf(request));
  const amzDate = compactTime(nanoseconds);
  const added: [string, string][] = [
    ["host", hostOf(url.value)],
    ["x-amz-date", amzDate],
  ];
  if (["s3", "glacier"].includes(textAt(config, "aws_service"))) added.push(["x-amz-content-sha256", contentHash]);
  const token = textAt(config, "aws_session_token");
  if (token !== "") added.push(["x-amz-security-token", token]);
  const given = headers.sorted().map(({ key, value }): [string, string] => [stringOr(key), stringOr(value)]);
  const lower = given.map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  const signed = new Map([...added, ...lower.filter(([name]) => !unsignedHeaders.has(name))]);
  const method = textAt(request, "method");
  const { query } = plainParts(url.value);
  const signable = { method, path: url.value.escapedPath, query, headers: signed, contentHash, time: amzDate };
  const all = RegoObject.of([...given, ["Authorization", authorization(signable, config)], ...added]);
  const members = request.sorted().map(({ key, value }): [Value, Value] => [key, value]);
  return RegoObject.of([...members, ["headers", all]]);
}

const stringOr = (value: Value): string => (typeof value === "string" ? value : "");
const members = declared(objectOf(stringType, anyType), object);

export const awsBuiltin: Builtin = ternary(
  "providers.aws.sign_req",
  [members, members, declared(numberType, number)],
  objectOf(anyType, anyType),
  signRequest,
);
