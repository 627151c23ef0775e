import { AddressSet } from "../../../src/analysis/network/address-set.ts";
import { ConnectionSet, protocolNumber } from "../../../src/analysis/network/connection-set.ts";
import type { PossiblePod, Requirement } from "../../../src/analysis/network/model.ts";

/** One line of a report: who may connect to whom. */
export interface Line {
  /** `connections`, `egress` and `ingress` exposure, `unprotected`. */
  readonly section: string;
  readonly from: string;
  readonly to: string;
  readonly connections: string;
}

/** `All Connections`, `No Connections`, `SCTP 1-65535,TCP 80,443,UDP 53`, with names of ports that nobody resolved. */
export function parseConnections(text: string): { readonly set: ConnectionSet; readonly names: readonly string[] } {
  if (text === "All Connections") return { set: ConnectionSet.all, names: [] };
  let set = ConnectionSet.none;
  const names: string[] = [];
  let protocol = 0;
  for (const part of text === "No Connections" ? [] : text.split(",")) {
    const [, name, ports = ""] = /^(?:(TCP|UDP|SCTP) )?(.*)$/.exec(part.trim()) ?? [];
    if (name !== undefined) protocol = protocolNumber(name) ?? 0;
    const range = /^(\d+)(?:-(\d+))?$/.exec(ports);
    if (range === null) names.push(ports);
    else set = set.union(ConnectionSet.of(protocol, Number(range[1]), Number(range[2] ?? range[1])));
  }
  return { set, names };
}

/** Protocols without ports are not what these reports are about. */
export function connectionKey(set: ConnectionSet, names: readonly string[] = []): string {
  return [set.portsOnly.key, ...[...names].sort()].join(" ");
}

/** `10.0.0.0-10.255.255.255[External]`, `1.2.3.4`; undefined for a workload. */
export function parseAddresses(text: string): AddressSet | undefined {
  const match = /^([0-9.]+)(?:-([0-9.]+))?(?:\[External\])?$/.exec(text);
  if (match === null) return undefined;
  const [from, to] = [match[1], match[2] ?? match[1]].map((t) => AddressSet.parse(t ?? "")?.v4);
  const [start, last] = [from?.[0], to?.[1]];
  return start === undefined || last === undefined ? undefined : AddressSet.ofIntervals([start, last], []);
}

/**
 * Lines as facts that do not depend on how addresses were cut: one string for each pair of workloads, and one for each
 * workload, direction and set of connections with all addresses.
 */
export function factsOf(lines: readonly Line[]): readonly string[] {
  const facts = new Set<string>();
  const byAddress = new Map<string, AddressSet>();
  for (const { section, from, to, connections } of lines) {
    const { set, names } = parseConnections(connections);
    const key = connectionKey(set, names);
    const [source, target] = [parseAddresses(from), parseAddresses(to)];
    const addresses = source ?? target;
    if (addresses === undefined) facts.add(`${section}: ${side(from)} => ${side(to)} : ${key}`);
    else {
      const known = `${section}: ${source === undefined ? `${from} => *` : `* => ${to}`} : ${key}`;
      byAddress.set(known, addresses.union(byAddress.get(known) ?? AddressSet.none));
    }
  }
  for (const [key, addresses] of byAddress) facts.add(`${key} of ${addresses.toRanges().join(",")}`);
  return [...facts].sort();
}

/** Labels in one order and one spelling. */
function side(text: string): string {
  return text.replaceAll(/\{((?:[^{}]|\{[^{}]*\})*)\}/g, (_, body: string) => `{${requirementTexts(body).join()}}`);
}

function requirementTexts(body: string): readonly string[] {
  const expressions = [...body.matchAll(/\{Key:([^,]*),Operator:(\w+),Values:\[([^\]]*)\],?\}/g)].map(
    ([, label = "", operator = "", values = ""]) =>
      requirementText({ label, operator: operatorOf(operator), values: values.split(" ").filter((v) => v !== "") }),
  );
  const labels = body
    .replaceAll(/\{Key:[^}]*\}/g, "")
    .split(",")
    .filter((part) => part.includes("="))
    .map((part) => {
      const [label = "", value = ""] = part.split("=");
      return requirementText({ label, operator: "In", values: [value] });
    });
  return [...labels, ...expressions].sort();
}

function operatorOf(text: string): Requirement["operator"] {
  return text === "In" || text === "NotIn" || text === "Exists" ? text : "DoesNotExist";
}

function requirementText({ label, operator, values }: Requirement): string {
  return `${label} ${operator} ${[...values].sort().join(" ")}`.trim();
}

/** A pod that may come, as these reports name it. */
export function possibleText({ namespace, pods }: PossiblePod): string {
  const [only, second] = namespace;
  const name =
    only?.label === "kubernetes.io/metadata.name" && second === undefined && only.values.length === 1
      ? only.values[0]
      : undefined;
  const texts = (requirements: readonly Requirement[]) =>
    requirements.map((r) => `{Key:${r.label},Operator:${r.operator},Values:[${r.values.join(" ")}],}`).join();
  const where = name ?? (namespace.length === 0 ? "[all namespaces]" : `[namespace with {${texts(namespace)}}]`);
  return `${where}/${pods.length === 0 ? "[all pods]" : `[pod with {${texts(pods)}}]`}`;
}
