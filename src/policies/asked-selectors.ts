import type { KindSelector } from "./policy.ts";

/**
 * What policies that name kinds alone are asked about, as by Gatekeeper's webhook: objects, and all subresources but `status`, which
 * controllers write: what broke a rule before it came could not be run any more.
 */
const subresources = [
  "",
  "attach",
  "binding",
  "ephemeralcontainers",
  "eviction",
  "exec",
  "log",
  "portforward",
  "proxy",
  "resize",
  "scale",
] as const;
/** Of Services the status, too: it holds addresses that may be somebody else's (CVE-2020-8554). */
const serviceStatus: KindSelector = { group: "", version: "*", kind: "Service", subresource: "status" };

/** How a kind is asked about at admission; each part may be `*`. */
export function askedSelectors(group: string, version: string, kind: string): readonly KindSelector[] {
  const own = subresources.map((subresource) => ({ group, version, kind, subresource }));
  const holdsServices = (group === "*" || group === "") && (kind === "*" || kind === "Service");
  return holdsServices ? [...own, serviceStatus] : own;
}
