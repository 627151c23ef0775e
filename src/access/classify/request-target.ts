import { decodeUtf8, encodeUtf8 } from "../../core/utf8.ts";

/** The target of an HTTP/1.1 request line, split as Go's net/http splits it. */
export interface RequestTarget {
  /** Percent-decoded: `%2F` has become a slash. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly rawQuery: string;
}

export type ParsedTarget =
  | { readonly ok: true; readonly value: RequestTarget }
  | { readonly ok: false; readonly message: string };

const hexDigits = "0123456789abcdef";

/** Percent-decodes as Go's url.PathUnescape and url.QueryUnescape do; undefined for a bad escape. */
function percentDecode(text: string, plusIsSpace: boolean): string | undefined {
  if (!text.includes("%") && !(plusIsSpace && text.includes("+"))) return text;
  const bytes = encodeUtf8(text);
  const out: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0x25) {
      const high = hexDigits.indexOf(String.fromCharCode(bytes[i + 1] ?? 0).toLowerCase());
      const low = hexDigits.indexOf(String.fromCharCode(bytes[i + 2] ?? 0).toLowerCase());
      if (high < 0 || low < 0) return undefined;
      out.push(high * 16 + low);
      i += 2;
    } else out.push(plusIsSpace && byte === 0x2b ? 0x20 : byte);
  }
  return decodeUtf8(Uint8Array.from(out));
}

/** Removes `scheme://authority` of an absolute-form target. */
function originForm(target: string): string {
  const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*/.exec(target);
  return absolute === null ? target : target.slice(absolute[0].length);
}

/**
 * Splits a request target without normalising it: `..`, `//` and dots stay, as kube-apiserver sees them.
 * Refuses what Go's server refuses with 400.
 */
export function parseRequestTarget(target: string): ParsedTarget {
  const invalid = { ok: false, message: `parse ${JSON.stringify(target)}: invalid URI for request` } as const;
  if (target === "*") return { ok: true, value: { path: "*", rawQuery: "" } };
  const rest = originForm(target);
  const isAbsolute = rest.length !== target.length;
  const question = rest.indexOf("?");
  const rawPath = question < 0 ? rest : rest.slice(0, question);
  const rawQuery = question < 0 ? "" : rest.slice(question + 1);
  if (!rawPath.startsWith("/") && !(isAbsolute && rawPath === "")) return invalid;
  if (hasControlByte(target)) return { ok: false, message: "net/url: invalid control character in URL" };
  const path = percentDecode(rawPath, false);
  if (path === undefined) {
    const badEscape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(rawPath)?.[0] ?? "%";
    return { ok: false, message: `parse ${JSON.stringify(target)}: invalid URL escape ${JSON.stringify(badEscape)}` };
  }
  return { ok: true, value: { path, rawQuery } };
}

function hasControlByte(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** A query's parameters as Go's URL.Query sees them: pairs with a semicolon or a bad escape are dropped. */
export function parseQuery(rawQuery: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const pair of rawQuery.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    const key = percentDecode(equals < 0 ? pair : pair.slice(0, equals), true);
    const value = percentDecode(equals < 0 ? "" : pair.slice(equals + 1), true);
    if (key === undefined || value === undefined) continue;
    const list = values.get(key);
    if (list === undefined) values.set(key, [value]);
    else list.push(value);
  }
  return values;
}
