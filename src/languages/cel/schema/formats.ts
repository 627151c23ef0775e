import { parseDuration } from "../../../core/duration.ts";
import { parseGoTime, rfc3339 } from "../../../core/go-time.ts";
import { parseRequestUri } from "../../../core/go-url.ts";
import { parseIpAddress, parseIpPrefix } from "../../../core/ip-address.ts";

const hex = "[0-9a-fA-F]";
const uuid = (version: string, variant: string) =>
  new RegExp(`^${hex}{8}-?${hex}{4}-?${version}${hex}{3}-?${variant}${hex}{3}-?${hex}{12}$`);
const anyUuid = uuid(hex, hex);
const shortName = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const hostname = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;
const mac = /^(?:[0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

/** Formats of texts that are checked here; the API server knows a few more, which are left alone. */
const textFormats: { readonly [format: string]: (text: string) => boolean } = {
  byte: matches(base64),
  cidr: (text) => parseIpPrefix(text).ok,
  date: (text) => parseGoTime("2006-01-02", text) !== undefined,
  datetime: (text) => parseGoTime(rfc3339, text) !== undefined,
  duration: (text) => parseDuration(text) !== undefined || /^\d+ ?(?:ns|us|µs|ms|s|m|h|d|w|[a-z]+)$/.test(text),
  hostname: (text) => text.length < 256 && hostname.test(text),
  ipv4: (text) => parseIpAddress(text).ok && !text.includes(":"),
  ipv6: (text) => parseIpAddress(text).ok && text.includes(":"),
  k8slongname: (text) => text.length <= 253 && text.split(".").every((part) => shortName.test(part)),
  k8sshortname: (text) => text.length <= 63 && shortName.test(text),
  mac: matches(mac),
  uri: (text) => parseRequestUri(text).ok,
  uuid: matches(anyUuid),
  uuid3: matches(uuid("3", hex)),
  uuid4: matches(uuid("4", "[89abAB]")),
  uuid5: matches(uuid("5", "[89abAB]")),
};

/** Whether a text is of a format; true for formats that are not known. */
export function fitsFormat(text: string, format: string): boolean {
  const known = format.replaceAll("-", "");
  return Object.hasOwn(textFormats, known) ? (textFormats[known]?.(text) ?? true) : true;
}

const limits = { int32: [-(2n ** 31n), 2n ** 31n - 1n], int64: [-(2n ** 63n), 2n ** 63n - 1n] } as const;

/** Whether a whole number fits its format. */
export function fitsInteger(value: number | bigint, format: string | undefined): boolean {
  if (format !== "int32" && format !== "int64") return true;
  const [low, high] = limits[format];
  const exact = BigInt(value);
  return exact >= low && exact <= high;
}
