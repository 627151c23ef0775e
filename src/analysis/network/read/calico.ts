import { type KubernetesObject, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import { AddressSet } from "../address-set.ts";
import { ConnectionSet, protocolNumber, protocols } from "../connection-set.ts";
import type { Direction, RuleAction } from "../model.ts";
import { type CompiledPolicy, type CompiledRule, type Layer, layers, type PeerTerm, type PortMatch } from "../rule.ts";
import { readCalicoSubjects, readEntity } from "./calico-entity.ts";
import type { PolicyContext } from "./policy-context.ts";
import { policyInfo } from "./policy-info.ts";
import { everyPort, unionOfPorts } from "./ports.ts";
import { type Field, type ObjectField, type Reader, shown } from "./reader.ts";

const actions: { readonly [written: string]: RuleAction | "log" } = {
  allow: "allow",
  deny: "deny",
  pass: "pass",
  "next-tier": "pass",
  log: "log",
};

/** projectcalico.org/v3 NetworkPolicy and GlobalNetworkPolicy, staged ones included: those decide nothing. */
export function readCalicoPolicy(reader: Reader, context: PolicyContext): CompiledPolicy | undefined {
  const object: KubernetesObject = reader.document.value;
  const isGlobal = /Global/.test(object.kind);
  const isStaged = object.kind.startsWith("Staged");
  const namespace = isGlobal ? "" : namespaceOf(object) || context.namespace;
  const spec = reader.object(reader.at({ value: object, path: [] }, "spec")) ?? { value: {}, path: ["spec"] };
  const subject = readCalicoSubjects(reader, spec, namespace);
  if (subject === undefined) return undefined;
  const directions = readTypes(reader, spec);
  const tier = readTier(reader, spec, context);
  const orderField = reader.at(spec, "order");
  const order = typeof orderField?.value === "number" ? orderField.value : Number.POSITIVE_INFINITY;
  if (orderField !== undefined && typeof orderField.value !== "number") reader.problem(orderField.path, "order is a number");
  const rules = (direction: Direction) =>
    directions.includes(direction)
      ? (reader.list(reader.at(spec, direction)) ?? []).flatMap(
          (rule) => readRule(reader, rule, direction, namespace, context) ?? [],
        )
      : [];
  const onHostsOnly = ["doNotTrack", "preDNAT"].some((key) => spec.value[key] === true);
  return {
    info: policyInfo(
      reader.document,
      isGlobal ? "CalicoGlobalNetworkPolicy" : "CalicoNetworkPolicy",
      directions,
      namespace,
      !isStaged && !onHostsOnly,
    ),
    layer: tier.layer,
    order,
    subjects: [subject],
    isolates: tier.passes ? [] : directions,
    rules: { ingress: rules("ingress"), egress: rules("egress") },
  };
}

/** Without types: ingress, unless there are egress rules only. */
function readTypes(reader: Reader, spec: ObjectField): readonly Direction[] {
  const types = reader.list(reader.at(spec, "types")) ?? [];
  if (types.length > 0) {
    return types.flatMap((type): Direction[] => {
      if (type.value === "Ingress") return ["ingress"];
      if (type.value === "Egress") return ["egress"];
      reader.problem(type.path, `${shown(type.value)} is not one of Ingress, Egress`);
      return [];
    });
  }
  const [ingress, egress] = ["ingress", "egress"].map((key) => (reader.list(reader.at(spec, key)) ?? []).length > 0);
  if (!egress) return ["ingress"];
  return ingress ? ["ingress", "egress"] : ["egress"];
}

interface Tier {
  readonly layer: Layer;
  /** What no policy of the tier decides goes on. */
  readonly passes: boolean;
}

function readTier(reader: Reader, spec: ObjectField, { tiers }: PolicyContext): Tier {
  const name = reader.text(reader.at(spec, "tier")) || "default";
  const known = tiers.get(name);
  const passes = known?.passes ?? false;
  if (name === "default") return { layer: layers.networkPolicy, passes };
  if (known === undefined) {
    reader.problem(
      reader.at(spec, "tier")?.path ?? spec.path,
      `there is no Tier ${name} among the objects: it is taken as the last one`,
      "NETWORK_POLICY_UNSUPPORTED",
    );
  }
  return { layer: { rank: known?.order ?? Number.POSITIVE_INFINITY, name: `tier ${name}`, undeterminedTies: false }, passes };
}

export function readTierObject(
  object: KubernetesObject,
): readonly [string, { readonly order: number; readonly passes: boolean }] {
  const spec = object["spec"];
  const own = typeof spec === "object" && spec !== null && !Array.isArray(spec) ? (spec as { [key: string]: unknown }) : {};
  const order = own["order"];
  return [
    nameOf(object),
    { order: typeof order === "number" ? order : Number.POSITIVE_INFINITY, passes: own["defaultAction"] === "Pass" },
  ];
}

const ruleFields = [
  ...["action", "protocol", "notProtocol", "icmp", "notICMP", "ipVersion", "source", "destination", "http", "metadata"],
];

function readRule(
  reader: Reader,
  field: Field,
  direction: Direction,
  namespace: string,
  context: PolicyContext,
): CompiledRule | undefined {
  const before = reader.errors;
  const rule = reader.object(field);
  if (rule === undefined) return undefined;
  reader.onlyKnown(rule, ruleFields);
  const written = reader.text(reader.at(rule, "action")) ?? "";
  const action = actions[written.toLowerCase()];
  if (action === undefined)
    reader.problem([...rule.path, "action"], `${JSON.stringify(written)} is not one of Allow, Deny, Pass, Log`);
  const [source, destination] = ["source", "destination"].map((key) => reader.object(reader.at(rule, key)));
  const from = readEntity(reader, source, namespace, context);
  const to = readEntity(reader, destination, namespace, context);
  const numbers = readProtocols(reader, rule);
  const ports = readPorts(reader, destination, numbers);
  const version = reader.integer(reader.at(rule, "ipVersion"), 4, 6);
  if (action === "log") return undefined;
  if (reader.errors > before || from === undefined || to === undefined || action === undefined) {
    return action === "allow" || action === undefined
      ? undefined
      : { path: rule.path, action: "deny", peers: [{ key: "everything", everything: true }], ports: everyPort, conditions: [] };
  }
  if (asksSourcePorts(reader, source)) {
    reader.problem(
      [...rule.path, "source"],
      "source ports are not modelled: the rule is taken to match nothing",
      "NETWORK_POLICY_UNSUPPORTED",
    );
    return undefined;
  }
  const [peer, subject] = direction === "ingress" ? [from, to] : [to, from];
  const http = reader.object(reader.at(rule, "http"));
  const text = http === undefined ? "" : shown(http.value);
  return {
    path: rule.path,
    action,
    peers: [ofVersion(peer, version)],
    ports,
    ...(subject.everything === true ? {} : { subjects: subject }),
    conditions: http === undefined ? [] : [{ kind: "http", text, policy: nameOf(reader.document.value) }],
  };
}

function asksSourcePorts(reader: Reader, source: ObjectField | undefined): boolean {
  return source !== undefined && ["ports", "notPorts"].some((key) => (reader.list(reader.at(source, key)) ?? []).length > 0);
}

function ofVersion(term: PeerTerm, version: number | undefined): PeerTerm {
  if (version === undefined) return term;
  const family = version === 4 ? AddressSet.allIpv4 : AddressSet.allIpv6;
  const external = (term.everything === true ? AddressSet.all : (term.external ?? AddressSet.none)).intersect(family);
  if (term.everything === true) return { key: `everything of IPv${version}`, byAddress: external, external };
  return { ...term, key: `${term.key} IPv${version}`, external };
}

/** By name in any case, or by number. */
function readProtocol(reader: Reader, field: Field | undefined): number | undefined {
  if (field === undefined) return undefined;
  const { value } = field;
  const number =
    typeof value === "number"
      ? value
      : typeof value === "string"
        ? (protocolNumber(value) ?? Number.parseInt(value, 10))
        : Number.NaN;
  if (Number.isInteger(number) && number >= 1 && number <= 255) return number;
  reader.problem(field.path, `${shown(value)} is no protocol`);
  return undefined;
}

function readProtocols(reader: Reader, rule: ObjectField): ConnectionSet {
  const protocol = readProtocol(reader, reader.at(rule, "protocol"));
  const not = readProtocol(reader, reader.at(rule, "notProtocol"));
  const [icmp, notIcmp] = ["icmp", "notICMP"].map((key) => reader.object(reader.at(rule, key)));
  let set = protocol === undefined ? ConnectionSet.all : ConnectionSet.of(protocol);
  if (not !== undefined) set = set.subtract(ConnectionSet.of(not));
  const ofIcmp = (value: ObjectField) => readIcmp(reader, value, protocol ?? protocols.ICMP);
  if (icmp !== undefined) set = set.intersect(ofIcmp(icmp));
  if (notIcmp !== undefined) set = set.subtract(ofIcmp(notIcmp));
  return set;
}

function readIcmp(reader: Reader, icmp: ObjectField, protocol: number): ConnectionSet {
  const type = reader.integer(reader.at(icmp, "type"), 0, 255);
  const code = reader.integer(reader.at(icmp, "code"), 0, 255);
  if (type === undefined) return ConnectionSet.of(protocol);
  const from = type * 256 + (code ?? 0);
  return ConnectionSet.of(protocol, from, code === undefined ? type * 256 + 255 : from);
}

/** Ports of the destination, of the rule's protocols. */
function readPorts(reader: Reader, destination: ObjectField | undefined, within: ConnectionSet): PortMatch {
  const [ports, notPorts] = ["ports", "notPorts"].map((key) =>
    destination === undefined ? undefined : reader.list(reader.at(destination, key)),
  );
  const read = (list: readonly Field[]): PortMatch => unionOfPorts(list.map((port) => readPort(reader, port, within)));
  const wanted: PortMatch = ports === undefined || ports.length === 0 ? { numbers: within, named: [] } : read(ports);
  return notPorts === undefined || notPorts.length === 0 ? wanted : { ...wanted, except: read(notPorts) };
}

/** A number, `from:to`, or a name. */
function readPort(reader: Reader, field: Field, within: ConnectionSet): PortMatch {
  const text = typeof field.value === "number" ? String(field.value) : typeof field.value === "string" ? field.value : "";
  const range = /^(\d+)(?::(\d+))?$/.exec(text);
  const carrying = [protocols.TCP, protocols.UDP, protocols.SCTP].filter((p) => within.of(p).length > 0);
  if (range !== null) {
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    if (from > to || to > 65_535) reader.problem(field.path, `${text} is no range of ports`);
    const numbers = carrying.reduce(
      (set, protocol) => set.union(ConnectionSet.of(protocol, Math.max(from, 1), to)),
      ConnectionSet.none,
    );
    return { numbers: numbers.intersect(within), named: [] };
  }
  return { numbers: ConnectionSet.none, named: carrying.map((protocol) => ({ name: text, protocol })) };
}
