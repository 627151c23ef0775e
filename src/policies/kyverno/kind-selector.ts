import type { KindSelector } from "../policy.ts";

const version = /^(?:v\d+(?:(?:alpha|beta)\d+)?|\*)$/;

const selector = (group: string, apiVersion: string, kind: string, subresource: string): KindSelector => ({
  group,
  version: apiVersion,
  kind,
  subresource,
});

/**
 * Reads an entry of `kinds`: `Kind`, `Kind/sub`, `Kind.sub`, `version/Kind`, `group/version/Kind`,
 * `version/Kind/sub`, `group/version/Kind/sub`, star slash star; each part may hold wildcards.
 * A text with more parts selects nothing.
 */
export function parseKindSelector(text: string): KindSelector {
  const slashed = text.split("/");
  const parts = [...slashed.slice(0, -1), ...(slashed.at(-1) ?? "").split(".")];
  const [a = "", b = "", c = "", d = ""] = parts;
  switch (parts.length) {
    case 1:
      return selector("*", "*", a, "");
    case 2:
      if (a === "*" && b === "*") return selector("*", "*", "*", "*");
      if (a === "*" && b === b.toLowerCase()) return selector("*", "*", a, b);
      return version.test(a) ? selector("*", a, b, "") : selector("*", "*", a, b);
    case 3:
      return version.test(a) ? selector("*", a, b, c) : selector(a, b, c, "");
    case 4:
      return selector(a, b, c, d);
    default:
      return selector("", "", "", "");
  }
}
