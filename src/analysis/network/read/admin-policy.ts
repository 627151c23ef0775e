import { nameOf } from "../../../core/kubernetes.ts";
import { AddressSet } from "../address-set.ts";
import { ConnectionSet } from "../connection-set.ts";
import type { Direction, RuleAction } from "../model.ts";
import { type CompiledPolicy, type CompiledRule, layers, type PeerTerm, type PortMatch } from "../rule.ts";
import { readCidr } from "./addresses.ts";
import type { PolicyContext } from "./policy-context.ts";
import { policyInfo } from "./policy-info.ts";
import { everyPort, readPortName, readProtocol, readRange, unionOfPorts } from "./ports.ts";
import type { Field, ObjectField, Reader } from "./reader.ts";
import { readLabelSelector } from "./selectors.ts";
import { readNamespacedPods } from "./subjects.ts";
import { addressTerm, everything, podTerm } from "./terms.ts";

const peerKeys = { ingress: "from", egress: "to" } as const;
const actions: { readonly [written: string]: RuleAction } = { Allow: "allow", Deny: "deny", Pass: "pass" };
const maxRules = 100;

/** policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy and BaselineAdminNetworkPolicy. */
export function readAdminNetworkPolicy(reader: Reader, { namespace }: PolicyContext): CompiledPolicy | undefined {
  const object = reader.document.value;
  const isBaseline = object.kind === "BaselineAdminNetworkPolicy";
  const spec = reader.object(reader.at({ value: object, path: [] }, "spec"));
  if (spec === undefined) {
    reader.problem([], "spec is missing");
    return undefined;
  }
  reader.onlyKnown(spec, ["priority", "subject", "ingress", "egress"]);
  if (isBaseline && nameOf(object) !== "default")
    reader.problem(["metadata", "name"], "the one policy of this kind is called default");
  const priorityField = reader.at(spec, "priority");
  const priority = isBaseline ? 0 : reader.integer(priorityField, 0, 1000);
  if (!isBaseline && priorityField === undefined) reader.problem(spec.path, "priority is missing");
  const subjectField = reader.object(reader.at(spec, "subject"));
  if (subjectField === undefined) reader.problem(spec.path, "subject is missing");
  const subject = subjectField === undefined ? undefined : readNamespacedPods(reader, subjectField);
  if (subject === undefined || priority === undefined) return undefined;
  const rules = (direction: Direction) => {
    const list = reader.list(reader.at(spec, direction)) ?? [];
    if (list.length > maxRules) reader.problem([...spec.path, direction], `there are more than ${maxRules} rules`);
    return list.flatMap((field) => readRule(reader, field, direction, isBaseline) ?? []);
  };
  const [ingress, egress] = [rules("ingress"), rules("egress")];
  const directions: Direction[] = [];
  if (ingress.length > 0) directions.push("ingress");
  if (egress.length > 0) directions.push("egress");
  return {
    info: policyInfo(reader.document, isBaseline ? "BaselineAdminNetworkPolicy" : "AdminNetworkPolicy", directions, namespace),
    layer: isBaseline ? layers.baseline : layers.admin,
    order: priority,
    subjects: [subject],
    isolates: [],
    rules: { ingress, egress },
  };
}

/**
 * A rule with a wrong part fails closed: it allows nothing, and one that does not allow meets everything with what could be
 * read of its ports.
 */
function readRule(reader: Reader, field: Field, direction: Direction, isBaseline: boolean): CompiledRule | undefined {
  const before = reader.errors;
  const rule = reader.object(field);
  if (rule === undefined) return undefined;
  reader.onlyKnown(rule, ["name", "action", peerKeys[direction], "ports"]);
  const actionField = reader.at(rule, "action");
  const written = reader.text(actionField) ?? "";
  const action = Object.hasOwn(actions, written) && !(isBaseline && written === "Pass") ? actions[written] : undefined;
  if (action === undefined) reader.problem(actionField?.path ?? rule.path, `${JSON.stringify(written)} is no action`);
  const peersField = reader.at(rule, peerKeys[direction]);
  const list = reader.list(peersField) ?? [];
  if (list.length === 0) reader.problem(peersField?.path ?? rule.path, `${peerKeys[direction]} has to name a peer`);
  const peers = list.flatMap((peer) => readPeer(reader, peer, direction) ?? []);
  const ports = (reader.list(reader.at(rule, "ports")) ?? []).flatMap((port) => readPort(reader, port) ?? []);
  const portsGiven = reader.at(rule, "ports") !== undefined;
  if (reader.errors > before) {
    return action === "allow"
      ? undefined
      : { path: rule.path, action: "deny", peers: [everything], ports: everyPort, conditions: [] };
  }
  return {
    path: rule.path,
    action: action ?? "deny",
    peers,
    ports: portsGiven ? unionOfPorts(ports) : everyPort,
    conditions: [],
  };
}

function readPeer(reader: Reader, field: Field, direction: Direction): PeerTerm | undefined {
  const peer = reader.object(field);
  if (peer === undefined) return undefined;
  const known = direction === "ingress" ? ["namespaces", "pods"] : ["namespaces", "pods", "networks", "nodes"];
  if (!reader.onlyKnown(peer, known)) return undefined;
  const [networks, nodes] = [reader.at(peer, "networks"), reader.at(peer, "nodes")];
  if (networks === undefined && nodes === undefined) {
    const selector = readNamespacedPods(reader, peer);
    return selector === undefined ? undefined : podTerm(selector);
  }
  if (Object.keys(peer.value).length !== 1) reader.problem(peer.path, "a peer is of one kind");
  if (networks !== undefined) return readNetworks(reader, networks);
  return readNodes(reader, nodes);
}

/** CIDR blocks, whatever stands behind the addresses: pods included. */
export function readNetworks(reader: Reader, field: Field): PeerTerm | undefined {
  const list = reader.list(field) ?? [];
  if (list.length === 0) reader.problem(field.path, "there has to be a network");
  const sets = list.map((item) => readCidr(reader, item));
  if (sets.includes(undefined)) return undefined;
  return addressTerm(sets.reduce<AddressSet>((all, set) => all.union(set ?? AddressSet.none), AddressSet.none));
}

export function readNodes(reader: Reader, field: Field | undefined): PeerTerm | undefined {
  const selector = reader.object(field);
  const match = selector === undefined ? undefined : readLabelSelector(reader, selector);
  return match === undefined ? undefined : { key: `nodes ${match.key}`, nodes: { matches: match.matches } };
}

/** Exactly one of portNumber, portRange and namedPort. */
function readPort(reader: Reader, field: Field): PortMatch | undefined {
  const port = reader.object(field);
  if (port === undefined || !reader.onlyKnown(port, ["portNumber", "portRange", "namedPort"])) return undefined;
  const kinds = Object.keys(port.value).filter((key) => port.value[key] !== null && port.value[key] !== undefined);
  if (kinds.length !== 1) {
    reader.problem(port.path, "exactly one of portNumber, portRange and namedPort has to be there");
    return undefined;
  }
  const name = reader.at(port, "namedPort");
  if (name !== undefined) {
    const text = readPortName(reader, name);
    return text === undefined ? undefined : { numbers: ConnectionSet.none, named: [{ name: text, protocol: undefined }] };
  }
  const number = reader.object(reader.at(port, "portNumber"));
  if (number !== undefined) return readNumber(reader, number);
  const range = reader.object(reader.at(port, "portRange"));
  return range === undefined ? undefined : readPortRange(reader, range);
}

function readNumber(reader: Reader, number: ObjectField): PortMatch | undefined {
  reader.onlyKnown(number, ["protocol", "port"]);
  const protocol = readProtocol(reader, reader.at(number, "protocol"));
  const value = reader.integer(reader.at(number, "port"), 1, 65_535);
  if (value === undefined && reader.at(number, "port") === undefined) reader.problem(number.path, "port is missing");
  if (protocol === undefined || value === undefined) return undefined;
  return { numbers: ConnectionSet.of(protocol, value), named: [] };
}

function readPortRange(reader: Reader, range: ObjectField): PortMatch | undefined {
  reader.onlyKnown(range, ["protocol", "start", "end"]);
  const protocol = readProtocol(reader, reader.at(range, "protocol"));
  const bounds = readRange(reader, range);
  return protocol === undefined || bounds === undefined
    ? undefined
    : { numbers: ConnectionSet.of(protocol, ...bounds), named: [] };
}
