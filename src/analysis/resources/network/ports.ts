import { isArray, isObject, type JsonValue, toPointer } from "../../../core/json.ts";
import { adviceFix, type LintIssue, patchFix } from "../issue.ts";
import { refused } from "./peers.ts";
import type { NetworkRule } from "./policy.ts";

/** Port lists that mean every port, and name servers reached over one protocol only. */
export function portIssues(rule: NetworkRule): LintIssue[] {
  if (!isArray(rule.ports)) return [];
  const path = [...rule.path, "ports"];
  if (rule.ports.length === 0) {
    return [
      {
        check: "network-policy",
        rule: "empty-ports",
        path,
        status: "warn",
        severity: "medium",
        message: "An empty ports list is every port.",
        fix: adviceFix("Name the ports, or remove the list."),
      },
    ];
  }
  return [...rule.ports.flatMap((port, i) => onePort(port, [...path, i])), ...nameServer(rule, rule.ports)];
}

function onePort(port: JsonValue, path: readonly (string | number)[]): LintIssue[] {
  if (!isObject(port)) return [];
  const first = port["port"];
  const last = port["endPort"];
  if (Object.keys(port).length === 0) {
    return [
      {
        check: "network-policy",
        rule: "empty-port",
        path,
        status: "warn",
        severity: "medium",
        message: "An empty port is every TCP port.",
        fix: adviceFix("Name the port."),
      },
    ];
  }
  if (typeof last !== "number") return [];
  if (typeof first !== "number")
    return [refused([...path, "endPort"], "endPort needs a numeric port.", "Set port to the first port of the range.")];
  return last < first ? [refused([...path, "endPort"], `endPort ${last} is less than port ${first}.`, "Swap the two.")] : [];
}

/** Names are asked for over UDP; a port without protocol is TCP. */
function nameServer(rule: NetworkRule, ports: readonly JsonValue[]): LintIssue[] {
  if (rule.direction !== "Egress") return [];
  const protocolOf = (port: JsonValue) => (isObject(port) ? (port["protocol"] ?? "TCP") : undefined);
  const dns = ports.findIndex((port) => isObject(port) && port["port"] === 53);
  if (dns < 0) return [];
  const udp = ports.some(
    (port) => protocolOf(port) === "UDP" && isObject(port) && (port["port"] === undefined || port["port"] === 53),
  );
  if (udp) return [];
  return [
    {
      check: "network-policy",
      rule: "dns-without-udp",
      path: [...rule.path, "ports", dns],
      status: "warn",
      severity: "medium",
      message:
        "Port 53 is opened for TCP only (the protocol of a port that names none); names are asked for over UDP, so most look-ups still fail.",
      fix: patchFix("Add UDP port 53.", {
        op: "add",
        path: `${toPointer([...rule.path, "ports"])}/-`,
        value: { protocol: "UDP", port: 53 },
      }),
    },
  ];
}
