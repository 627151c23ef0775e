import { JmesPathError } from "../errors.ts";

/**
 * Whether a URL's host is outside: no loopback or private address (RFC 1918, RFC 4193). A host name other than
 * `localhost` would have to be resolved, which cannot be done here.
 * @throws JmesPathError
 */
export function isExternalUrl(url: string): boolean {
  const host = hostOf(url);
  const v4 = parseIPv4(host);
  if (v4 !== undefined) return !isInternalV4(v4);
  const v6 = parseIPv6(host);
  if (v6 !== undefined) return !isInternalV6(v6);
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) return false;
  throw new JmesPathError(`is_external_url: the host name ${JSON.stringify(host)} cannot be resolved here`);
}

function hostOf(url: string): string {
  const authority = /^(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/([^/?#]*)/.exec(url)?.[1] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host.startsWith("[")) return host.slice(1, Math.max(1, host.indexOf("]")));
  return host.replace(/:\d*$/, "");
}

function parseIPv4(text: string): readonly number[] | undefined {
  const parts = text.split(".");
  const sound = parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return sound ? parts.map(Number) : undefined;
}

/** The eight groups of an IPv6 address. */
function parseIPv6(text: string): readonly number[] | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const v4 = dotted === null ? undefined : parseIPv4(dotted[2] ?? "");
  if (dotted !== null && v4 === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = v4 ?? [];
  const hex = v4 === undefined ? text : `${dotted?.[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  const halves = hex.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const [head = [], tail = []] = halves;
  const missing = 8 - head.length - tail.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  return groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}

function isInternalV4([a = 0, b = 0]: readonly number[]): boolean {
  return a === 127 || a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168);
}

function isInternalV6(groups: readonly number[]): boolean {
  const [first = 0, , , , , mapped = 0, high = 0, low = 0] = groups;
  const zeros = groups.slice(0, 5).every((group) => group === 0);
  if (zeros && mapped === 0xffff) return isInternalV4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
  return (zeros && mapped === 0 && high === 0 && low === 1) || (first & 0xfe00) === 0xfc00;
}
