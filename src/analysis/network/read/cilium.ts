import { isObject, type JsonValue } from "../../../core/json.ts";
import { nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import { AddressSet } from "../address-set.ts";
import { ConnectionSet, portProtocols, protocolNumber, protocols } from "../connection-set.ts";
import type { Direction, EdgeCondition } from "../model.ts";
import { type CompiledPolicy, type CompiledRule, layers, type PeerTerm, type PodSelector, type PortMatch } from "../rule.ts";
import { readCidr } from "./addresses.ts";
import { readEndpointSelector } from "./cilium-selector.ts";
import type { PolicyContext } from "./policy-context.ts";
import { policyInfo } from "./policy-info.ts";
import { everyPort, isPortName, unionOfPorts } from "./ports.ts";
import { type Field, type ObjectField, type Reader, shown } from "./reader.ts";
import { everything, podTerm, worldTerm } from "./terms.ts";

const everyNode: PeerTerm = { key: "every node", nodes: { matches: () => true } };
const apiServer: PeerTerm = { key: "apiserver", apiServer: true };
const everyPod: PodSelector = {
  key: "every pod",
  namespaces: { kind: "all" },
  hint: undefined,
  everyPod: true,
  matches: () => true,
};

/** What an entity stands for; those that are nothing we model match nothing. */
const entities: { readonly [name: string]: readonly PeerTerm[] } = {
  all: [everything],
  world: [worldTerm()],
  "world-ipv4": [worldTerm(AddressSet.allIpv4)],
  "world-ipv6": [worldTerm(AddressSet.allIpv6)],
  cluster: [podTerm(everyPod), everyNode, apiServer],
  host: [everyNode],
  "remote-node": [everyNode],
  "kube-apiserver": [apiServer],
  health: [],
  ingress: [],
  init: [],
  none: [],
  unmanaged: [],
};

/**
 * cilium.io/v2 CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: one compiled policy for what denies, which comes
 * before all others, and one for what allows, which stands beside NetworkPolicy.
 */
export function readCiliumPolicy(reader: Reader, context: PolicyContext): readonly CompiledPolicy[] {
  const object = reader.document.value;
  const root: ObjectField = { value: object, path: [] };
  const isClusterwide = object.kind === "CiliumClusterwideNetworkPolicy";
  const namespace = isClusterwide ? "" : namespaceOf(object) || context.namespace;
  const spec = reader.object(reader.at(root, "spec"));
  const specs = (reader.list(reader.at(root, "specs")) ?? []).flatMap((s) => reader.object(s) ?? []);
  return [...(spec === undefined ? [] : [spec]), ...specs].flatMap((one) =>
    readSpec(reader, one, namespace, isClusterwide, context),
  );
}

const specFields = [
  ...["endpointSelector", "nodeSelector", "ingress", "ingressDeny", "egress", "egressDeny"],
  ...["enableDefaultDeny", "description", "labels", "log"],
];

function readSpec(
  reader: Reader,
  spec: ObjectField,
  namespace: string,
  isClusterwide: boolean,
  context: PolicyContext,
): readonly CompiledPolicy[] {
  reader.onlyKnown(spec, specFields);
  if (reader.at(spec, "nodeSelector") !== undefined) {
    reader.problem(
      [...spec.path, "nodeSelector"],
      "policies of nodes are not modelled: it decides nothing",
      "NETWORK_POLICY_UNSUPPORTED",
    );
    return [];
  }
  const selectorField = reader.object(reader.at(spec, "endpointSelector"));
  if (selectorField === undefined) reader.problem(spec.path, "endpointSelector is missing");
  const subject = selectorField === undefined ? undefined : readEndpointSelector(reader, selectorField, namespace);
  if (subject?.kind !== "pods") return [];
  const lists = {
    ingress: reader.list(reader.at(spec, "ingress")) ?? [],
    ingressDeny: reader.list(reader.at(spec, "ingressDeny")) ?? [],
    egress: reader.list(reader.at(spec, "egress")) ?? [],
    egressDeny: reader.list(reader.at(spec, "egressDeny")) ?? [],
  };
  const directions: Direction[] = [];
  if (lists.ingress.length + lists.ingressDeny.length > 0) directions.push("ingress");
  if (lists.egress.length + lists.egressDeny.length > 0) directions.push("egress");
  const defaults = reader.object(reader.at(spec, "enableDefaultDeny"));
  const isolates = directions.filter((direction) => defaults?.value[direction] !== false);
  const rules = (list: readonly Field[], direction: Direction, denies: boolean) =>
    list.flatMap((rule) => readRule(reader, rule, direction, denies, namespace, context));
  const kind = isClusterwide ? "CiliumClusterwideNetworkPolicy" : "CiliumNetworkPolicy";
  const info = policyInfo(reader.document, kind, directions, context.namespace);
  const base = { info, layer: layers.networkPolicy, subjects: [subject.pods] };
  return [
    {
      ...base,
      order: 0,
      isolates: [],
      rules: { ingress: rules(lists.ingressDeny, "ingress", true), egress: rules(lists.egressDeny, "egress", true) },
    },
    {
      ...base,
      order: 1000,
      isolates,
      rules: { ingress: rules(lists.ingress, "ingress", false), egress: rules(lists.egress, "egress", false) },
    },
  ];
}

const peerFields = {
  ingress: {
    endpoints: "fromEndpoints",
    requires: "fromRequires",
    cidr: "fromCIDR",
    cidrSet: "fromCIDRSet",
    entities: "fromEntities",
    nodes: "fromNodes",
    groups: "fromGroups",
  },
  egress: {
    endpoints: "toEndpoints",
    requires: "toRequires",
    cidr: "toCIDR",
    cidrSet: "toCIDRSet",
    entities: "toEntities",
    nodes: "toNodes",
    groups: "toGroups",
  },
} as const;

/** Fails closed: what cannot be understood allows nothing, and denies everything. */
function readRule(
  reader: Reader,
  field: Field,
  direction: Direction,
  denies: boolean,
  namespace: string,
  context: PolicyContext,
): readonly CompiledRule[] {
  const before = reader.errors;
  const rule = reader.object(field);
  if (rule === undefined) return [];
  const names = peerFields[direction];
  reader.onlyKnown(rule, [...Object.values(names), "toPorts", "icmps", "authentication", "toFQDNs", "toServices"]);
  const action = denies ? "deny" : "allow";
  const peers = readPeers(reader, rule, direction, namespace, context);
  const portsField = reader.at(rule, "toPorts");
  const { ports, conditions } = readPortRules(reader, portsField);
  const icmps = readIcmps(reader, reader.at(rule, "icmps"));
  if (reader.errors > before)
    return denies ? [{ path: rule.path, action, peers: [everything], ports: everyPort, conditions: [] }] : [];
  // A rule that says nothing at all allows nothing: that is how a default deny is written.
  if (peers === undefined && portsField === undefined && icmps === undefined) return [];
  const wanted = portsField === undefined ? (icmps ?? everyPort) : icmps === undefined ? ports : unionOfPorts([ports, icmps]);
  return [{ path: rule.path, action, peers: peers ?? [everything], ports: wanted, conditions }];
}

/** Undefined where no peer is named: then everybody is meant. */
function readPeers(
  reader: Reader,
  rule: ObjectField,
  direction: Direction,
  namespace: string,
  context: PolicyContext,
): readonly PeerTerm[] | undefined {
  const names = peerFields[direction];
  const list = (key: string) => reader.list(reader.at(rule, key));
  for (const key of [names.requires, names.groups, "toServices"]) {
    const found = list(key);
    if (found === undefined || found.length === 0) continue;
    reader.problem([...rule.path, key], `${key} is not modelled: the rule meets nobody`, "NETWORK_POLICY_UNSUPPORTED");
    return [];
  }
  const lists = [names.endpoints, names.cidr, names.cidrSet, names.entities, names.nodes, "toFQDNs"].map(list);
  if (lists.every((l) => l === undefined)) return undefined;
  const [endpoints, cidrs, cidrSets, entityNames, nodes, domains] = lists;
  return [
    ...(endpoints ?? []).flatMap((e) => readEndpoint(reader, e, namespace)),
    ...(cidrs ?? []).flatMap((c) => addressesTerm(readCidrOrAddress(reader, c))),
    ...(cidrSets ?? []).flatMap((c) => addressesTerm(readCidrRule(reader, c, context))),
    ...(entityNames ?? []).flatMap((e) => readEntity(reader, e)),
    ...(nodes ?? []).map((): PeerTerm => everyNode),
    ...(domains ?? []).flatMap((d) => readDomain(reader, d)),
  ];
}

function readEndpoint(reader: Reader, field: Field, namespace: string): readonly PeerTerm[] {
  const selector = reader.object(field);
  const read = selector === undefined ? undefined : readEndpointSelector(reader, selector, namespace);
  if (read === undefined) return [];
  return read.kind === "pods" ? [podTerm(read.pods)] : (entities[read.entity] ?? []);
}

function readEntity(reader: Reader, field: Field): readonly PeerTerm[] {
  const name = reader.text(field) ?? "";
  if (Object.hasOwn(entities, name)) return entities[name] ?? [];
  reader.problem(field.path, `there is no entity ${JSON.stringify(name)}`);
  return [];
}

/** Addresses outside: for Cilium a block never holds what has an identity of its own. */
function addressesTerm(set: AddressSet | undefined): readonly PeerTerm[] {
  if (set === undefined) return [];
  const world = worldTerm(set);
  return [{ ...world, key: `cidr ${world.key}`, byAddress: set }];
}

function readCidrOrAddress(reader: Reader, field: Field): AddressSet | undefined {
  const address = typeof field.value === "string" && !field.value.includes("/") ? AddressSet.parse(field.value) : undefined;
  return address ?? readCidr(reader, field);
}

function readCidrRule(reader: Reader, field: Field, { cidrGroups }: PolicyContext): AddressSet | undefined {
  const rule = reader.object(field);
  if (rule === undefined) return undefined;
  reader.onlyKnown(rule, ["cidr", "except", "cidrGroupRef", "cidrGroupSelector"]);
  const group = reader.text(reader.at(rule, "cidrGroupRef"));
  if (reader.at(rule, "cidrGroupSelector") !== undefined) {
    reader.problem(rule.path, "cidrGroupSelector is not modelled: it holds nothing", "NETWORK_POLICY_UNSUPPORTED");
    return AddressSet.none;
  }
  const known = group === undefined ? undefined : cidrGroups.get(group);
  if (group !== undefined && known === undefined) {
    reader.problem(
      rule.path,
      `there is no CiliumCIDRGroup ${group} among the objects: it holds nothing`,
      "NETWORK_POLICY_UNSUPPORTED",
    );
  }
  const base = group === undefined ? readCidr(reader, reader.at(rule, "cidr")) : (known ?? AddressSet.none);
  return (reader.list(reader.at(rule, "except")) ?? []).reduce<AddressSet | undefined>(
    (set, except) => set?.subtract(readCidr(reader, except) ?? AddressSet.none),
    base,
  );
}

function readDomain(reader: Reader, field: Field): readonly PeerTerm[] {
  const domain = reader.object(field);
  if (domain === undefined) return [];
  reader.onlyKnown(domain, ["matchName", "matchPattern"]);
  const name = reader.text(reader.at(domain, "matchName")) ?? reader.text(reader.at(domain, "matchPattern"));
  if (name === undefined) {
    reader.problem(domain.path, "matchName or matchPattern has to be there");
    return [];
  }
  const lower = name.toLowerCase().replace(/\.$/, "");
  return [{ key: `domains ${lower}`, domains: [lower] }];
}

function readPortRules(
  reader: Reader,
  field: Field | undefined,
): { readonly ports: PortMatch; readonly conditions: readonly EdgeCondition[] } {
  const rules = (reader.list(field) ?? []).flatMap((item) => reader.object(item) ?? []);
  if (rules.length === 0) return { ports: everyPort, conditions: [] };
  const ports = rules.map((rule) => {
    const list = reader.list(reader.at(rule, "ports")) ?? [];
    return list.length === 0 ? everyPort : unionOfPorts(list.flatMap((port) => readPort(reader, port) ?? []));
  });
  return { ports: unionOfPorts(ports), conditions: rules.flatMap((rule) => conditionsOf(reader, rule)) };
}

function readPort(reader: Reader, field: Field): PortMatch | undefined {
  const port = reader.object(field);
  if (port === undefined) return undefined;
  reader.onlyKnown(port, ["port", "endPort", "protocol"]);
  const written = reader.text(reader.at(port, "protocol"))?.toUpperCase() ?? "ANY";
  const number = protocolNumber(written);
  if (written !== "ANY" && number === undefined) reader.problem(port.path, `there is no protocol ${written}`);
  const carrying = written === "ANY" || number === undefined ? portProtocols : [number];
  const value = reader.at(port, "port")?.value;
  const text = value === undefined ? "0" : typeof value === "string" ? value : shown(value);
  const end = reader.integer(reader.at(port, "endPort"), 0, 65_535);
  if (/^\d+$/.test(text)) {
    const from = Number(text);
    if (from > 65_535 || (end !== undefined && end !== 0 && end < from)) reader.problem(port.path, `${text} is no port`);
    const one = (protocol: number) => (from === 0 ? ConnectionSet.of(protocol) : ConnectionSet.of(protocol, from, end || from));
    return { numbers: carrying.reduce((set, protocol) => set.union(one(protocol)), ConnectionSet.none), named: [] };
  }
  if (!isPortName(text)) reader.problem(port.path, `${JSON.stringify(text)} is no port name`);
  return { numbers: ConnectionSet.none, named: [{ name: text, protocol: written === "ANY" ? undefined : number }] };
}

const families: { readonly [family: string]: number } = { IPv4: protocols.ICMP, IPv6: protocols.ICMPv6 };

function readIcmps(reader: Reader, field: Field | undefined): PortMatch | undefined {
  const rules = reader.list(field);
  if (rules === undefined) return undefined;
  const fields = rules.flatMap((rule) => {
    const object = reader.object(rule);
    return object === undefined ? [] : (reader.list(reader.at(object, "fields")) ?? []);
  });
  const numbers = fields.reduce((set, item) => {
    const object = reader.object(item);
    if (object === undefined) return set;
    const protocol = families[reader.text(reader.at(object, "family")) ?? "IPv4"] ?? protocols.ICMP;
    const type = object.value["type"];
    if (typeof type !== "number") {
      reader.problem(object.path, "names of ICMP types are not modelled: give the number", "NETWORK_POLICY_UNSUPPORTED");
      return set;
    }
    return set.union(ConnectionSet.of(protocol, type * 256, type * 256 + 255));
  }, ConnectionSet.none);
  return { numbers, named: [] };
}

const l7Kinds = { http: "http", dns: "dns", kafka: "kafka" } as const;

function conditionsOf(reader: Reader, rule: ObjectField): readonly EdgeCondition[] {
  const rules = reader.object(reader.at(rule, "rules"));
  if (rules === undefined) return [];
  const policy = nameOf(reader.document.value);
  return (Object.keys(l7Kinds) as (keyof typeof l7Kinds)[]).flatMap((kind) =>
    (reader.list(reader.at(rules, kind)) ?? []).map(({ value }) => ({ kind: l7Kinds[kind], text: l7Text(value), policy })),
  );
}

function l7Text(value: JsonValue | undefined): string {
  if (!isObject(value)) return shown(value);
  const words = ["method", "path", "host", "matchName", "matchPattern", "topic"].flatMap((key) =>
    value[key] === undefined ? [] : [typeof value[key] === "string" ? value[key] : shown(value[key])],
  );
  return words.length === 0 ? shown(value) : words.join(" ");
}
