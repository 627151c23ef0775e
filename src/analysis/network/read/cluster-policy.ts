import { ConnectionSet, protocols } from "../connection-set.ts";
import type { Direction, RuleAction } from "../model.ts";
import { type CompiledPolicy, type CompiledRule, layers, type PeerTerm, type PortMatch } from "../rule.ts";
import { readNetworks, readNodes } from "./admin-policy.ts";
import type { PolicyContext } from "./policy-context.ts";
import { policyInfo } from "./policy-info.ts";
import { everyPort, readPortName, readRange, unionOfPorts } from "./ports.ts";
import type { Field, ObjectField, Reader } from "./reader.ts";
import { readNamespacedPods } from "./subjects.ts";
import { everything, podTerm } from "./terms.ts";

const peerKeys = { ingress: "from", egress: "to" } as const;
const actions: { readonly [written: string]: RuleAction } = { Accept: "allow", Deny: "deny", Pass: "pass" };

/** policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy. */
export function readClusterNetworkPolicy(reader: Reader, { namespace }: PolicyContext): CompiledPolicy | undefined {
  const spec = reader.object(reader.at({ value: reader.document.value, path: [] }, "spec"));
  if (spec === undefined) {
    reader.problem([], "spec is missing");
    return undefined;
  }
  reader.onlyKnown(spec, ["tier", "priority", "subject", "ingress", "egress"]);
  const tier = reader.text(reader.at(spec, "tier"));
  if (tier !== "Admin" && tier !== "Baseline") reader.problem(spec.path, "tier is one of Admin, Baseline");
  const priority = reader.integer(reader.at(spec, "priority"), 0, 1000);
  if (reader.at(spec, "priority") === undefined) reader.problem(spec.path, "priority is missing");
  const subjectField = reader.object(reader.at(spec, "subject"));
  if (subjectField === undefined) reader.problem(spec.path, "subject is missing");
  const subject = subjectField === undefined ? undefined : readNamespacedPods(reader, subjectField);
  if (subject === undefined || priority === undefined || (tier !== "Admin" && tier !== "Baseline")) return undefined;
  const rules = (direction: Direction) =>
    (reader.list(reader.at(spec, direction)) ?? []).flatMap((field) => readRule(reader, field, direction) ?? []);
  const [ingress, egress] = [rules("ingress"), rules("egress")];
  const directions: Direction[] = [];
  if (ingress.length > 0) directions.push("ingress");
  if (egress.length > 0) directions.push("egress");
  return {
    info: policyInfo(reader.document, "ClusterNetworkPolicy", directions, namespace),
    layer: tier === "Admin" ? layers.admin : layers.baseline,
    order: priority,
    subjects: [subject],
    isolates: [],
    rules: { ingress, egress },
  };
}

/** What cannot be understood fails closed: Accept meets nothing, Deny and Pass deny everything. */
function readRule(reader: Reader, field: Field, direction: Direction): CompiledRule | undefined {
  const before = reader.errors;
  const rule = reader.object(field);
  if (rule === undefined) return undefined;
  reader.onlyKnown(rule, ["name", "action", peerKeys[direction], "protocols"]);
  const written = reader.text(reader.at(rule, "action")) ?? "";
  const action = Object.hasOwn(actions, written) ? actions[written] : undefined;
  if (action === undefined)
    reader.problem([...rule.path, "action"], `${JSON.stringify(written)} is not one of Accept, Deny, Pass`);
  const list = reader.list(reader.at(rule, peerKeys[direction])) ?? [];
  if (list.length === 0) reader.problem(rule.path, `${peerKeys[direction]} has to name a peer`);
  const peers = list.flatMap((peer) => readPeer(reader, peer, direction, action) ?? []);
  const protocolsField = reader.at(rule, "protocols");
  const ports = (reader.list(protocolsField) ?? []).flatMap((port) => readProtocolPorts(reader, port) ?? []);
  if (reader.errors > before) {
    return action === "allow"
      ? undefined
      : { path: rule.path, action: "deny", peers: [everything], ports: everyPort, conditions: [] };
  }
  return {
    path: rule.path,
    action: action ?? "deny",
    peers,
    ports: protocolsField === undefined ? everyPort : unionOfPorts(ports),
    conditions: [],
  };
}

function readPeer(reader: Reader, field: Field, direction: Direction, action: RuleAction | undefined): PeerTerm | undefined {
  const peer = reader.object(field);
  if (peer === undefined) return undefined;
  const known = direction === "ingress" ? ["namespaces", "pods"] : ["namespaces", "pods", "networks", "nodes", "domainNames"];
  if (!reader.onlyKnown(peer, known)) return undefined;
  const [networks, nodes, domains] = ["networks", "nodes", "domainNames"].map((key) => reader.at(peer, key));
  if (networks === undefined && nodes === undefined && domains === undefined) {
    const selector = readNamespacedPods(reader, peer);
    return selector === undefined ? undefined : podTerm(selector);
  }
  if (Object.keys(peer.value).length !== 1) reader.problem(peer.path, "a peer is of one kind");
  if (networks !== undefined) return readNetworks(reader, networks);
  if (nodes !== undefined) return readNodes(reader, nodes);
  if (action !== "allow") reader.problem(domains?.path ?? peer.path, "domain names go with Accept only");
  const names = reader.texts(domains).map((name) => name.toLowerCase());
  return names.length === 0 ? undefined : { key: `domains ${names.join()}`, domains: names };
}

/** Exactly one of tcp, udp, sctp and destinationNamedPort. */
function readProtocolPorts(reader: Reader, field: Field): PortMatch | undefined {
  const entry = reader.object(field);
  if (entry === undefined || !reader.onlyKnown(entry, ["tcp", "udp", "sctp", "destinationNamedPort"])) return undefined;
  const kinds = Object.keys(entry.value).filter((key) => reader.at(entry, key) !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    reader.problem(entry.path, "exactly one of tcp, udp, sctp and destinationNamedPort has to be there");
    return undefined;
  }
  if (kind === "destinationNamedPort") {
    const name = readPortName(reader, reader.at(entry, kind));
    return name === undefined ? undefined : { numbers: ConnectionSet.none, named: [{ name, protocol: undefined }] };
  }
  const protocol = kind === "tcp" ? protocols.TCP : kind === "udp" ? protocols.UDP : protocols.SCTP;
  const ports = reader.object(reader.at(entry, kind));
  if (ports === undefined || !reader.onlyKnown(ports, ["destinationPort"])) return undefined;
  const destination = reader.object(reader.at(ports, "destinationPort"));
  if (destination === undefined) return { numbers: ConnectionSet.of(protocol), named: [] };
  return readDestination(reader, destination, protocol);
}

function readDestination(reader: Reader, destination: ObjectField, protocol: number): PortMatch | undefined {
  reader.onlyKnown(destination, ["number", "range"]);
  const number = reader.integer(reader.at(destination, "number"), 1, 65_535);
  const rangeField = reader.object(reader.at(destination, "range"));
  if ((number === undefined) === (rangeField === undefined)) {
    reader.problem(destination.path, "exactly one of number and range has to be there");
    return undefined;
  }
  if (number !== undefined) return { numbers: ConnectionSet.of(protocol, number), named: [] };
  const range = rangeField === undefined ? undefined : readRange(reader, rangeField);
  return range === undefined ? undefined : { numbers: ConnectionSet.of(protocol, ...range), named: [] };
}
