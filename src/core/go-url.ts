import { quoteGo } from "./go-quote.ts";
import { parseIpAddress } from "./ip-address.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/** A URL as Go's net/url takes it apart. */
export interface GoUrl {
  readonly scheme: string;
  /** What follows the scheme of a URL without slashes: `mailto:a@b`. */
  readonly opaque: string;
  /** In escaped form; undefined where there is none. */
  readonly userInfo: string | undefined;
  /** `name:port` */
  readonly host: string;
  readonly escapedPath: string;
  /** The path as it stands in the URL, soundly escaped or not. */
  readonly writtenPath: string;
  /** Undefined without `?`. */
  readonly query: string | undefined;
  /** In escaped form. */
  readonly fragment: string;
  /** `scheme:/path`, where no empty host is written. */
  readonly omitHost: boolean;
}

export type UrlResult = { readonly ok: true; readonly value: GoUrl } | { readonly ok: false; readonly message: string };

class UrlFailure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Bytes that a part of a URL may hold as they are, besides letters and digits. */
const plainBytes = {
  path: "$&+,-./:;=@_~",
  host: "!\"$&'()*+,-.:;<=>[]_~",
  zone: "!\"$&'()*+,-.:;<=>[]_~",
  user: "$&+,-.;=_~",
  query: "-._~",
  fragment: "!$&()*+,-./:;=?@_~",
} as const;

type Part = keyof typeof plainBytes;

function isPlain(byte: string, part: Part): boolean {
  return /^[A-Za-z0-9]$/.test(byte) || plainBytes[part].includes(byte);
}

/** Text as one character for each byte of its UTF-8 form, and back. */
function toBytes(text: string): string {
  return Array.from(encodeUtf8(text), (byte) => String.fromCharCode(byte)).join("");
}

function toText(bytes: string): string {
  return decodeUtf8(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}

function escapePart(bytes: string, part: Part): string {
  return bytes.replace(/./gs, (byte) => {
    if (isPlain(byte, part)) return byte;
    return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

function unescapePart(bytes: string, part: Part): string {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes.charAt(i);
    if (byte === "%") {
      const code = bytes.slice(i, i + 3);
      if (!/^%[\da-fA-F]{2}$/.test(code) || !mayEscape(code, part)) {
        throw new UrlFailure(`invalid URL escape ${quoteCode(code)}`);
      }
      i += 2;
    } else if ((part === "host" || part === "zone") && byte < "\x80" && !isPlain(byte, part)) {
      throw new UrlFailure(`invalid character ${quoteGo(byte)} in host name`);
    }
  }
  const spaced = part === "query" ? bytes.replaceAll("+", " ") : bytes;
  return spaced.replace(/%([\da-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** What is cut out of a character is shown byte by byte. */
function quoteCode(code: string): string {
  const text = toText(code);
  if (!text.includes("\ufffd")) return quoteGo(text);
  return `"${code.replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`)}"`;
}

/** Host names may only escape what is no ASCII. */
function mayEscape(code: string, part: Part): boolean {
  const value = Number.parseInt(code.slice(1), 16);
  if (code === "%25") return true;
  if (part === "host") return value >= 0x80;
  return part !== "zone" || value === 0x20 || isPlain(String.fromCharCode(value), "host");
}

/** The text with escapes where Go would put them; as it is where it is escaped soundly, if otherwise than Go would. */
function normalized(bytes: string, part: Part): string {
  const escaped = escapePart(unescapePart(bytes, part), part);
  const sound = Array.from(bytes).every((byte) => "!$&'()*+,;=:@[]%".includes(byte) || isPlain(byte, part));
  return sound ? bytes : escaped;
}

function schemeOf(url: string): readonly [scheme: string, rest: string] {
  const found = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(url);
  if (found?.[1] !== undefined) return [found[1].toLowerCase(), url.slice(found[0].length)];
  if (url.startsWith(":")) throw new UrlFailure("missing protocol scheme");
  return ["", url];
}

function queryOf(rest: string): readonly [path: string, query: string | undefined] {
  const at = rest.indexOf("?");
  return at < 0 ? [rest, undefined] : [rest.slice(0, at), rest.slice(at + 1)];
}

function isOptionalPort(text: string): boolean {
  return /^(?::\d*)?$/.test(text);
}

function checkPort(text: string): void {
  if (!isOptionalPort(text)) throw new UrlFailure(`invalid port ${quoteGo(toText(text))} after host`);
}

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf("[");
  if (open > 0) throw new UrlFailure("invalid IP-literal");
  if (open === 0) return parseBracketed(host);
  const first = host.indexOf(":");
  if (first >= 0) {
    const strict = scheme === "http" || scheme === "https";
    checkPort(host.slice(strict ? first : host.lastIndexOf(":")));
  }
  return unescapePart(host, "host");
}

function parseBracketed(host: string): string {
  const close = host.lastIndexOf("]");
  if (close < 0) throw new UrlFailure("missing ']' in host");
  const port = host.slice(close + 1);
  checkPort(port);
  const inside = host.slice(1, close);
  const zone = inside.indexOf("%25");
  const name =
    zone < 0
      ? unescapePart(inside, "host")
      : unescapePart(inside.slice(0, zone), "host") + unescapePart(inside.slice(zone), "zone");
  const address = parseIpAddress(toText(name));
  if (!address.ok) throw new UrlFailure(`invalid host: ${address.message}`);
  if (address.value.family === 4) throw new UrlFailure("invalid IP-literal");
  return `[${name}]${port}`;
}

function parseUserInfo(text: string): string {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text)) throw new UrlFailure("net/url: invalid userinfo");
  const colon = text.indexOf(":");
  const parts = colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
  return parts.map((part) => escapePart(unescapePart(part, "user"), "user")).join(":");
}

function pathParts(path: string): Pick<GoUrl, "escapedPath" | "writtenPath"> {
  return { escapedPath: normalized(path, "path"), writtenPath: path };
}

function parse(url: string, viaRequest: boolean): Omit<GoUrl, "fragment"> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(url)) throw new UrlFailure("net/url: invalid control character in URL");
  if (url === "" && viaRequest) throw new UrlFailure("empty url");
  const empty = { scheme: "", opaque: "", userInfo: undefined, host: "", query: undefined, omitHost: false, ...pathParts("") };
  if (url === "*") return { ...empty, ...pathParts("*") };
  const [scheme, afterScheme] = schemeOf(url);
  const [path, query] = queryOf(afterScheme);
  const start = { ...empty, scheme, query };
  if (!path.startsWith("/")) {
    if (scheme !== "") return { ...start, opaque: path };
    if (viaRequest) throw new UrlFailure("invalid URI for request");
    if (path.split("/")[0]?.includes(":")) throw new UrlFailure("first path segment in URL cannot contain colon");
  }
  const hasAuthority = path.startsWith("//") && (scheme !== "" || (!viaRequest && !path.startsWith("///")));
  if (!hasAuthority) {
    return { ...start, ...pathParts(path), omitHost: scheme !== "" && path.startsWith("/") };
  }
  const end = path.indexOf("/", 2);
  const authority = end < 0 ? path.slice(2) : path.slice(2, end);
  const at = authority.lastIndexOf("@");
  const host = parseHost(scheme, authority.slice(at + 1));
  const userInfo = at < 0 ? undefined : parseUserInfo(authority.slice(0, at));
  return { ...start, userInfo, host, ...pathParts(end < 0 ? "" : path.slice(end)) };
}

function attempt(text: string, read: () => GoUrl): UrlResult {
  try {
    return { ok: true, value: read() };
  } catch (failure) {
    if (failure instanceof UrlFailure) return { ok: false, message: `parse ${quoteGo(text)}: ${failure.message}` };
    throw failure;
  }
}

/** As url.ParseRequestURI: absolute URLs and paths, a `#` is no fragment. */
export function parseRequestUri(text: string): UrlResult {
  return attempt(text, () => ({ ...parse(toBytes(text), true), fragment: "" }));
}

/** As url.Parse. */
export function parseUrl(text: string): UrlResult {
  const hash = text.indexOf("#");
  const main = attempt(hash < 0 ? text : text.slice(0, hash), () => ({
    ...parse(toBytes(hash < 0 ? text : text.slice(0, hash)), false),
    fragment: "",
  }));
  if (!main.ok || hash < 0) return main;
  return attempt(text, () => ({ ...main.value, fragment: normalized(toBytes(text.slice(hash + 1)), "fragment") }));
}

export function hostOf(url: GoUrl): string {
  return toText(url.host);
}

/** The host name without port and brackets, and the port. */
export function splitHost(url: GoUrl): { readonly name: string; readonly port: string } {
  const host = toText(url.host);
  const colon = host.lastIndexOf(":");
  const hasPort = colon >= 0 && isOptionalPort(host.slice(colon));
  const name = hasPort ? host.slice(0, colon) : host;
  const bare = name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
  return { name: bare, port: hasPort ? host.slice(colon + 1) : "" };
}

/** The parts without their escapes; `rawPath` is the path as written where Go would have escaped it otherwise. */
export function plainParts(url: GoUrl): {
  readonly path: string;
  readonly rawPath: string;
  readonly query: string;
  readonly fragment: string;
} {
  const path = unescapePart(url.writtenPath, "path");
  const usual = escapePart(path, "path") === url.writtenPath;
  return {
    path: toText(path),
    rawPath: toText(usual ? path : url.writtenPath),
    query: toText(url.query ?? ""),
    fragment: toText(unescapePart(url.fragment, "fragment")),
  };
}

/** The query's parameters; what cannot be read is left out. */
export function queryValues(url: GoUrl): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const pair of (url.query ?? "").split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    const [name, value] = equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
    try {
      const key = toText(unescapePart(name, "query"));
      const item = toText(unescapePart(value, "query"));
      const known = values.get(key);
      if (known === undefined) values.set(key, [item]);
      else known.push(item);
    } catch (failure) {
      if (!(failure instanceof UrlFailure)) throw failure;
    }
  }
  return values;
}

/** As url.URL.String. */
export function formatUrl(url: GoUrl): string {
  const { scheme, opaque, userInfo, escapedPath, query, fragment } = url;
  const host = escapePart(url.host, "host");
  let text = scheme === "" ? "" : `${scheme}:`;
  if (opaque !== "") text += opaque;
  else {
    const named = host !== "" || userInfo !== undefined;
    if (named || (scheme !== "" && !url.omitHost && escapedPath !== "")) text += "//";
    if (userInfo !== undefined) text += `${userInfo}@`;
    text += host;
    if (escapedPath !== "" && !escapedPath.startsWith("/") && host !== "") text += "/";
    if (text === "" && escapedPath.split("/")[0]?.includes(":")) text = "./";
    text += escapedPath;
  }
  if (query !== undefined) text += `?${query}`;
  return toText(fragment === "" ? text : `${text}#${fragment}`);
}
