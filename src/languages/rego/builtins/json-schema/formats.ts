import { parseGoTime } from "../../../../core/go-time.ts";
import { parseUrl, plainParts } from "../../../../core/go-url.ts";
import { compileRegex } from "../../../../core/regex.ts";
import { parseIp } from "../ip-network.ts";

const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const hostname = new RegExp(`^${label}(?:\\.${label})*$`);
const parses = (layouts: readonly string[], text: string): boolean =>
  layouts.some((layout) => parseGoTime(layout, text) !== undefined);

function isUri(text: string, absolute: boolean): boolean {
  const parsed = parseUrl(text);
  if (!parsed.ok || text.includes("\\")) return false;
  return !absolute || parsed.value.scheme !== "";
}

function isBalanced(text: string): boolean {
  return /^(?:[^{}]|\{[^{}]*\})*$/.test(text);
}

const formats: { readonly [name: string]: (text: string) => boolean } = {
  date: (text) => parses(["2006-01-02"], text),
  time: (text) => parses(["15:04:05", "15:04:05Z07:00"], text),
  "date-time": (text) =>
    parses(
      ["15:04:05", "15:04:05Z07:00", "2006-01-02", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.999999999Z07:00"],
      text,
    ),
  hostname: (text) => text.length < 256 && hostname.test(text),
  email: (text) => /^[^\s@<>]+@[^\s@<>]+$/.test(text.replace(/^.*<([^<>]*)>$/, "$1")),
  "idn-email": (text) => formats.email?.(text) ?? true,
  ipv4: (text) => text.includes(".") && !text.includes(":") && parseIp(text)?.family === 4,
  ipv6: (text) => text.includes(":") && parseIp(text) !== undefined,
  uri: (text) => isUri(text, true),
  "uri-reference": (text) => isUri(text, false),
  iri: (text) => isUri(text, true),
  "iri-reference": (text) => isUri(text, false),
  "uri-template": (text) => {
    const parsed = parseUrl(text);
    return parsed.ok && !text.includes("\\") && isBalanced(plainParts(parsed.value).path);
  },
  uuid: (text) => /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(text),
  regex: (text) => text === "" || compileRegex(text).ok,
  "json-pointer": (text) => /^(?:\/(?:[^~/]|~0|~1)*)*$/.test(text),
  "relative-json-pointer": (text) => /^(?:0|[1-9][0-9]*)(?:#|(?:\/(?:[^~/]|~0|~1)*)*)$/.test(text),
};

/** Whether a text has a format; formats that nobody knows are not checked. */
export function hasFormat(name: string, text: string): boolean {
  return !Object.hasOwn(formats, name) || (formats[name]?.(text) ?? true);
}
