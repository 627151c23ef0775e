import { parseUrl, splitHost } from "../../../core/go-url.ts";
import {
  type IpAddress,
  type IpPrefix,
  isIpv4Mapped,
  parseIpAddress,
  parseIpPrefix,
  prefixContains,
} from "../../../core/ip-address.ts";
import { JmesPathError } from "../errors.ts";

/** Loopback (RFC 1122, RFC 4291) and private addresses (RFC 1918, RFC 4193). */
const internal: readonly IpPrefix[] = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"].map(
  (text) => {
    const prefix = parseIpPrefix(text);
    if (!prefix.ok) throw new Error(prefix.message);
    return prefix.value;
  },
);

/**
 * Whether a URL's host is outside: no loopback or private address. A host name other than `localhost` would have to be
 * resolved, which cannot be done here.
 * @throws JmesPathError
 */
export function isExternalUrl(text: string): boolean {
  const url = parseUrl(text);
  if (!url.ok) throw new JmesPathError(url.message);
  const host = splitHost(url.value).name;
  const address = parseIpAddress(host);
  if (address.ok) {
    const plain = unmapped(address.value);
    return !internal.some((prefix) => prefixContains(prefix, plain));
  }
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) return false;
  throw new JmesPathError(`is_external_url: the host name ${JSON.stringify(host)} cannot be resolved here`);
}

function unmapped(address: IpAddress): IpAddress {
  if (isIpv4Mapped(address)) return { family: 4, value: address.value & 0xffff_ffffn, zone: "" };
  return { ...address, zone: "" };
}
