import { type KubernetesObject, namespaceOf } from "../../../core/kubernetes.ts";
import { ConnectionSet } from "../connection-set.ts";
import type { Direction } from "../model.ts";
import { type CompiledPolicy, type CompiledRule, layers, type PeerTerm, type PortMatch } from "../rule.ts";
import { readIpBlock } from "./addresses.ts";
import { policyInfo } from "./policy-info.ts";
import { everyPort, readPortName, readProtocol, unionOfPorts } from "./ports.ts";
import { type Field, type ObjectField, type Reader, shown } from "./reader.ts";
import { everyLabel, namespaceScope, podSelector, readLabelSelector } from "./selectors.ts";
import { addressTerm, everything, podTerm } from "./terms.ts";

const peerKeys = { ingress: "from", egress: "to" } as const;

/** networking.k8s.io/v1 NetworkPolicy. Undefined where nobody can say which pods it selects. */
export function readNetworkPolicy(reader: Reader, namespace: string): CompiledPolicy | undefined {
  const object: KubernetesObject = reader.document.value;
  const root: ObjectField = { value: object, path: [] };
  const spec = reader.object(reader.at(root, "spec")) ?? { value: {}, path: ["spec"] };
  const within = namespaceOf(object) || namespace;
  reader.onlyKnown(spec, ["podSelector", "policyTypes", "ingress", "egress"]);
  const subject = readSubject(reader, spec);
  const directions = readDirections(reader, spec);
  if (subject === undefined) return undefined;
  const rulesOf = (direction: Direction): readonly CompiledRule[] => {
    const rules = reader.list(reader.at(spec, direction)) ?? [];
    const read = rules.flatMap((field) => readRule(reader, field, direction, within) ?? []);
    return directions.includes(direction) ? read : [];
  };
  return {
    info: policyInfo(reader.document, "NetworkPolicy", directions, namespace),
    layer: layers.networkPolicy,
    order: 1000,
    subjects: [podSelector({ kind: "one", name: within }, subject)],
    isolates: directions,
    rules: { ingress: rulesOf("ingress"), egress: rulesOf("egress") },
  };
}

function readSubject(reader: Reader, spec: ObjectField) {
  const field = reader.at(spec, "podSelector");
  if (field === undefined) return everyLabel;
  const selector = reader.object(field);
  return selector === undefined ? undefined : readLabelSelector(reader, selector);
}

/** Without policyTypes: ingress always, egress only where there are egress rules. */
function readDirections(reader: Reader, spec: ObjectField): readonly Direction[] {
  const types = reader.list(reader.at(spec, "policyTypes")) ?? [];
  if (types.length === 0) {
    const egress = reader.list(reader.at(spec, "egress")) ?? [];
    return egress.length > 0 ? ["ingress", "egress"] : ["ingress"];
  }
  return types.flatMap((type): Direction[] => {
    if (type.value === "Ingress") return ["ingress"];
    if (type.value === "Egress") return ["egress"];
    reader.problem(type.path, `${shown(type.value)} is not one of Ingress, Egress`);
    return [];
  });
}

/** Undefined where a part of the rule is wrong: such a rule allows nothing. */
function readRule(reader: Reader, field: Field, direction: Direction, namespace: string): CompiledRule | undefined {
  const before = reader.errors;
  // `- null` is read as `- {}`, as the API server does.
  const rule = field.value === null ? { value: {}, path: field.path } : reader.object(field);
  if (rule === undefined) return undefined;
  reader.onlyKnown(rule, [peerKeys[direction], "ports"]);
  const peerFields = reader.list(reader.at(rule, peerKeys[direction])) ?? [];
  const portFields = reader.list(reader.at(rule, "ports")) ?? [];
  const peers = peerFields.flatMap((peer) => readPeer(reader, peer, namespace) ?? []);
  const ports = portFields.flatMap((port) => readPort(reader, port) ?? []);
  if (reader.errors > before) return undefined;
  return {
    path: rule.path,
    action: "allow",
    peers: peerFields.length === 0 ? [everything] : peers,
    ports: portFields.length === 0 ? everyPort : unionOfPorts(ports),
    conditions: [],
  };
}

function readPeer(reader: Reader, field: Field, namespace: string): PeerTerm | undefined {
  const peer = reader.object(field);
  if (peer === undefined || !reader.onlyKnown(peer, ["podSelector", "namespaceSelector", "ipBlock"])) return undefined;
  const [pods, namespaces, block] = ["podSelector", "namespaceSelector", "ipBlock"].map((key) =>
    reader.object(reader.at(peer, key)),
  );
  if (block !== undefined) {
    if (pods !== undefined || namespaces !== undefined) {
      reader.problem(peer.path, "a peer holds either ipBlock or selectors");
      return undefined;
    }
    const addresses = readIpBlock(reader, block);
    return addresses === undefined ? undefined : addressTerm(addresses);
  }
  if (pods === undefined && namespaces === undefined) {
    reader.problem(peer.path, "an empty peer names nobody");
    return undefined;
  }
  const podMatch = pods === undefined ? everyLabel : readLabelSelector(reader, pods);
  const namespaceMatch = namespaces === undefined ? undefined : readLabelSelector(reader, namespaces);
  if (podMatch === undefined || (namespaces !== undefined && namespaceMatch === undefined)) return undefined;
  const scope = namespaceMatch === undefined ? ({ kind: "one", name: namespace } as const) : namespaceScope(namespaceMatch);
  return podTerm(podSelector(scope, podMatch, namespaceMatch));
}

function readPort(reader: Reader, field: Field): PortMatch | undefined {
  const port = field.value === null ? { value: {}, path: field.path } : reader.object(field);
  if (port === undefined || !reader.onlyKnown(port, ["protocol", "port", "endPort"])) return undefined;
  const protocol = readProtocol(reader, reader.at(port, "protocol"));
  const portField = reader.at(port, "port");
  const endField = reader.at(port, "endPort");
  if (protocol === undefined) return undefined;
  if (typeof portField?.value === "string") {
    if (endField !== undefined) reader.problem(endField.path, "a named port has no end");
    const name = readPortName(reader, portField);
    return name === undefined ? undefined : { numbers: ConnectionSet.none, named: [{ name, protocol }] };
  }
  if (portField === undefined) {
    if (endField !== undefined) reader.problem(endField.path, "endPort needs port");
    return { numbers: ConnectionSet.of(protocol), named: [] };
  }
  const from = reader.integer(portField, 1, 65_535);
  const to = endField === undefined ? from : reader.integer(endField, 1, 65_535);
  if (from === undefined || to === undefined) return undefined;
  if (to < from) reader.problem(endField?.path ?? port.path, `${to} is less than port ${from}`);
  return { numbers: ConnectionSet.of(protocol, from, to), named: [] };
}
