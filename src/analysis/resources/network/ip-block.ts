import { asString, type JsonObject, type JsonPath, toPointer } from "../../../core/json.ts";
import { isTemplate } from "../fields/placeholder.ts";
import { adviceFix, type LintIssue, patchFix } from "../issue.ts";
import { strings } from "../rbac/policy-rule.ts";
import { formatNetwork, hasHostBits, isStrictSubset, parseAddress, parseCidr } from "./cidr.ts";
import type { NetworkRule } from "./policy.ts";

/** Ranges that are refused, that are larger than they look, or that are everything. */
export function ipBlockIssues(block: JsonObject, path: JsonPath, rule: NetworkRule): LintIssue[] {
  const text = asString(block["cidr"]);
  if (text === undefined || isTemplate(text)) return [];
  const cidr = parseCidr(text);
  const cidrPath = [...path, "cidr"];
  if (cidr === undefined) return [notCidr(text, cidrPath)];
  const excepts = strings(block["except"]).filter((except) => !isTemplate(except));
  const issues = excepts.flatMap((except, i) => {
    const inner = parseCidr(except);
    const at = [...path, "except", i];
    if (inner === undefined) return [notCidr(except, at)];
    if (isStrictSubset(inner, cidr)) return [];
    return [refusedRange(at, `${except} does not lie within ${text}, or is all of it.`)];
  });
  if (hasHostBits(cidr)) issues.push(widened(text, formatNetwork(cidr), cidrPath));
  if (cidr.prefix === 0 && excepts.length === 0 && rule.direction === "Egress") issues.push(everywhere(text, cidrPath, rule));
  return issues;
}

function notCidr(text: string, path: JsonPath): LintIssue {
  const address = parseAddress(text);
  const written = address === undefined ? undefined : `${text}/${address.family === 4 ? 32 : 128}`;
  return {
    check: "network-policy",
    rule: "rejected",
    path,
    status: "fail",
    server: "refuses-object",
    message: `${JSON.stringify(text)} is no address range${written === undefined ? "" : "; a prefix length is missing"}. The API server refuses the policy.`,
    fix:
      written === undefined
        ? adviceFix("Write an address and a prefix length, such as 10.0.0.0/16.")
        : patchFix(`Write ${written} for that one address.`, { op: "replace", path: toPointer(path), value: written }),
  };
}

function refusedRange(path: JsonPath, message: string): LintIssue {
  return {
    check: "network-policy",
    rule: "rejected",
    path,
    status: "fail",
    server: "refuses-object",
    message: `${message} The API server refuses the policy.`,
    fix: adviceFix("Except a smaller range within cidr, or remove it."),
  };
}

function widened(text: string, network: string, path: JsonPath): LintIssue {
  return {
    check: "network-policy",
    rule: "host-bits",
    path,
    status: "fail",
    server: "refuses-object",
    message: `${text} is the whole range ${network}, not one address. From Kubernetes 1.36 the API server refuses it.`,
    evidence: { cidr: text, network },
    fix: patchFix(`Write ${network}, or a longer prefix.`, { op: "replace", path: toPointer(path), value: network }),
  };
}

function everywhere(text: string, path: JsonPath, rule: NetworkRule): LintIssue {
  return {
    check: "network-policy",
    rule: "open-egress",
    path,
    status: "warn",
    severity: "medium",
    message: `${text} is every address: ${rule.ports === undefined ? "all egress is open" : "egress on these ports is open to the whole internet"}, and with most network plugins to the cluster and its metadata service too.`,
    fix: adviceFix("Name the ranges that are needed, or except the private ones and 169.254.169.254/32."),
  };
}
