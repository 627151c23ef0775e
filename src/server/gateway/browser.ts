import { type HeaderFields, valuesOf } from "./header-fields.ts";

/** The name or address in a Host field, without its port. */
const hostNameOf = (host: string): string =>
  host
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();

/** Whether a request is for one of these hosts: a page whose name leads to this machine (DNS rebinding) sends another. */
export function isForHost(fields: HeaderFields, hosts: ReadonlySet<string>): boolean {
  const [host = ""] = valuesOf(fields, "host");
  return hosts.has(hostNameOf(host));
}

/** The origin of the page of another site for which a browser sends this; undefined: it is none. */
export function foreignOrigin(fields: HeaderFields, origins: readonly string[]): string | undefined {
  const [origin] = valuesOf(fields, "origin");
  if (origin !== undefined) {
    const [host = ""] = valuesOf(fields, "host");
    const isOwn = URL.canParse(origin) && new URL(origin).host === host;
    return isOwn || origins.includes(origin) ? undefined : origin;
  }
  // https://www.w3.org/TR/fetch-metadata/: of navigations and images, which name no origin.
  const [site] = valuesOf(fields, "sec-fetch-site");
  return site === "cross-site" || site === "same-site" ? "another site" : undefined;
}
