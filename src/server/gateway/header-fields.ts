/** Header fields in the order sent: name and value. */
export type HeaderFields = readonly (readonly [string, string])[];

/** Names and values of `IncomingMessage.rawHeaders`: no name is joined, none is lost. */
export function fieldsOf(rawHeaders: readonly string[]): HeaderFields {
  const fields: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) fields.push([rawHeaders[i] ?? "", rawHeaders[i + 1] ?? ""]);
  return fields;
}

/** Every line of a name, which is given in lower case. */
export function valuesOf(fields: HeaderFields, name: string): readonly string[] {
  const values: string[] = [];
  for (const [key, value] of fields) if (key.length === name.length && key.toLowerCase() === name) values.push(value);
  return values;
}

/** Members of comma-separated lists, over all lines of the name. */
export function listOf(fields: HeaderFields, name: string): readonly string[] {
  const values = valuesOf(fields, name);
  if (values.length === 0) return values;
  const items = values.flatMap((value) => value.split(","));
  return items.map((item) => item.trim()).filter((item) => item !== "");
}

/** RFC 9110 7.6.1: of one connection, never forwarded. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** What servers believe about who is there and how a request came; only we say that. Some read `_` as `-`. */
const believed =
  /^(?:authorization|proxy-authorization|cookie|cookie2|host|expect|audit-id|forwarded|via|x-real-ip|x-http-method-override|x-method-override|x-original-url|x-rewrite-url|x-forwarded-.*|x-remote-.*|impersonate-.*|castellan-.*|sec-websocket-extensions)$/;

const impersonation = /^impersonate[-_]/i;

/** Names that a `Connection` field may mention: others would be removed on the way, with what they protect. */
const connectionTokens = new Set(["keep-alive", "close", "upgrade", "te", "http2-settings"]);

const single = ["content-type", "content-encoding", "content-length", "host", "transfer-encoding"] as const;

export interface HeaderProblem {
  readonly status: 400 | 403 | 501;
  readonly message: string;
}

/** Why a request's header fields are refused; undefined where they are not. */
export function headerProblem(fields: HeaderFields): HeaderProblem | undefined {
  const named = fields.find(([name]) => impersonation.test(name));
  if (named !== undefined) {
    const message = `the header ${named[0]} is refused: one cannot impersonate others through the gateway (kubectl --as)`;
    return { status: 403, message };
  }
  const token = listOf(fields, "connection").find((item) => !connectionTokens.has(item.toLowerCase()));
  if (token !== undefined) return { status: 400, message: `the Connection header names ${token}, which may not be removed` };
  for (const name of single) {
    if (valuesOf(fields, name).length > 1) return { status: 400, message: `the header ${name} was sent more than once` };
  }
  const [coding] = valuesOf(fields, "transfer-encoding");
  if (coding !== undefined && coding.trim().toLowerCase() !== "chunked") {
    return { status: 501, message: "the only transfer coding that is taken is chunked" };
  }
  return undefined;
}

/** The fields that go on to the API server: hop-by-hop ones first, then what servers would believe, are taken out. */
export const forwardedFields = (fields: HeaderFields): HeaderFields =>
  endToEnd(fields, (key) => !believed.test(key.replaceAll("_", "-")));

/** The fields of an answer that go back to the client. */
export const answeredFields = (fields: HeaderFields): HeaderFields =>
  endToEnd(fields, (key) => key !== "alt-svc" && key !== "set-cookie");

/** Those of no single connection whose name, in lower case, may stay. */
function endToEnd(fields: HeaderFields, mayStay: (key: string) => boolean): HeaderFields {
  const named = new Set(listOf(fields, "connection").map((token) => token.toLowerCase()));
  return fields.filter(([name]) => {
    const key = name.toLowerCase();
    return !hopByHop.has(key) && !named.has(key) && mayStay(key);
  });
}
