import type { Labels } from "../../../core/label-selector.ts";
import { AddressSet } from "../address-set.ts";
import type { NamespaceScope, PeerTerm, PodFacts, PodSelector } from "../rule.ts";
import {
  type CalicoSelector,
  compileCalicoSelector,
  hintOfCalico,
  parseCalicoSelector,
  type SelectorTarget,
} from "./calico-selector.ts";
import type { PolicyContext } from "./policy-context.ts";
import { type Field, type ObjectField, type Reader, shown } from "./reader.ts";
import { addressKey, everything } from "./terms.ts";

const namespaceLabel = "projectcalico.org/namespace";

/** A NetworkSet or GlobalNetworkSet: addresses with labels. */
export interface NetworkSet {
  /** Empty for a GlobalNetworkSet. */
  readonly namespace: string;
  readonly labels: Labels;
  readonly addresses: AddressSet;
  readonly domains: readonly string[];
}

/** Which pods a Calico selector is asked about, with the labels that Calico adds. */
interface CompiledText {
  readonly key: string;
  readonly isAll: boolean;
  readonly hint: PodSelector["hint"];
  readonly matches: (labels: Labels, isGlobal: boolean) => boolean;
}

function readCalicoSelector(
  reader: Reader,
  field: Field | undefined,
  target: SelectorTarget = "endpoints",
): CompiledText | undefined {
  const text = reader.text(field) ?? "";
  const parsed = parseCalicoSelector(text);
  if (!parsed.ok) {
    reader.problem(field?.path ?? [], `${JSON.stringify(text)} is no selector: ${parsed.message}`);
    return undefined;
  }
  const { value } = parsed;
  return { key: text.trim(), isAll: value.kind === "all", hint: ownLabel(value), matches: compileCalicoSelector(value, target) };
}

/** Labels that Calico adds are not in the index of the pods' own. */
function ownLabel(selector: CalicoSelector): PodSelector["hint"] {
  const hint = hintOfCalico(selector);
  return hint?.label.startsWith("projectcalico.org/") === true ? undefined : hint;
}

function calicoLabels({ labels, namespace, serviceAccount }: PodFacts): Labels {
  return {
    ...labels,
    [namespaceLabel]: namespace,
    "projectcalico.org/serviceaccount": serviceAccount,
    "projectcalico.org/orchestrator": "k8s",
  };
}

function namespaceFacts({ namespaceLabels, namespace }: PodFacts): Labels {
  return { ...namespaceLabels, "projectcalico.org/name": namespace };
}

interface Parts {
  readonly selector: CompiledText | undefined;
  readonly notSelector: CompiledText | undefined;
  readonly namespaceSelector: CompiledText | undefined;
  readonly accounts: ((pod: PodFacts) => boolean) | undefined;
  readonly key: string;
}

/** The pods that a policy is about. `namespace` is empty for a global policy. */
export function readCalicoSubjects(reader: Reader, spec: ObjectField, namespace: string): PodSelector | undefined {
  const before = reader.errors;
  const selector = readCalicoSelector(reader, reader.at(spec, "selector"));
  const namespaceSelector = optional(reader, spec, "namespaceSelector");
  const accountSelector = optional(reader, spec, "serviceAccountSelector");
  if (reader.errors > before || selector === undefined) return undefined;
  const accounts =
    accountSelector === undefined ? undefined : (pod: PodFacts) => accountSelector.matches(accountLabels(pod), false);
  const key = `${selector.key}|${namespaceSelector?.key ?? ""}|${accountSelector?.key ?? ""}`;
  return toPodSelector({ selector, notSelector: undefined, namespaceSelector, accounts, key }, namespace);
}

function accountLabels({ serviceAccountLabels, serviceAccount }: PodFacts): Labels {
  return { ...serviceAccountLabels, "projectcalico.org/name": serviceAccount };
}

function optional(reader: Reader, parent: ObjectField, key: string): CompiledText | undefined {
  const field = reader.at(parent, key);
  return field === undefined || field.value === ""
    ? undefined
    : readCalicoSelector(reader, field, key === "namespaceSelector" ? "namespaces" : "endpoints");
}

function toPodSelector(parts: Parts, namespace: string): PodSelector {
  const { selector, notSelector, namespaceSelector, accounts, key } = parts;
  const namespaces: NamespaceScope =
    namespaceSelector === undefined && namespace !== "" ? { kind: "one", name: namespace } : { kind: "all" };
  const restricts = [
    selector?.isAll === false,
    notSelector !== undefined,
    namespaceSelector !== undefined,
    accounts !== undefined,
  ];
  return {
    key: `calico ${namespaces.kind === "one" ? namespaces.name : "*"} ${key}`,
    namespaces,
    hint: selector?.hint,
    everyPod: !restricts.includes(true),
    matches: (pod) =>
      (selector === undefined || selector.matches(calicoLabels(pod), false)) &&
      (notSelector === undefined || !notSelector.matches(calicoLabels(pod), false)) &&
      (namespaceSelector === undefined || namespaceSelector.matches(namespaceFacts(pod), false)) &&
      (accounts === undefined || accounts(pod)),
  };
}

const entityFields = [
  ...["nets", "notNets", "selector", "notSelector", "namespaceSelector", "ports", "notPorts"],
  ...["serviceAccounts", "services", "domains"],
];

/** One side of a rule. Undefined where a part is wrong; `everything` where nothing is asked. */
export function readEntity(
  reader: Reader,
  entity: ObjectField | undefined,
  namespace: string,
  { networkSets }: PolicyContext,
): PeerTerm | undefined {
  if (entity === undefined) return everything;
  const before = reader.errors;
  reader.onlyKnown(entity, entityFields);
  if (reader.at(entity, "services") !== undefined) {
    reader.problem(
      [...entity.path, "services"],
      "services as peers are not modelled: the rule matches nothing",
      "NETWORK_POLICY_UNSUPPORTED",
    );
    return { key: "nobody" };
  }
  const [nets, notNets] = ["nets", "notNets"].map((key) => readNets(reader, reader.at(entity, key)));
  const parts = readParts(reader, entity);
  const domains = reader.texts(reader.at(entity, "domains")).map((d) => d.toLowerCase());
  if (reader.errors > before) return undefined;
  if (domains.length > 0) return { key: `domains ${domains.join()}`, domains };
  const isSelected =
    parts.selector !== undefined ||
    parts.namespaceSelector !== undefined ||
    parts.accounts !== undefined ||
    (namespace !== "" && parts.notSelector !== undefined);
  const key = `calico ${namespace} ${parts.key} ${nets === undefined ? "" : addressKey(nets)} not ${notNets === undefined ? "" : addressKey(notNets)}`;
  const limit = (set: AddressSet) => (nets === undefined ? set : set.intersect(nets)).subtract(notNets ?? AddressSet.none);
  if (!isSelected && parts.notSelector === undefined) {
    if (nets === undefined && notNets === undefined) return everything;
    const addresses = limit(AddressSet.all);
    return { key, byAddress: addresses, external: addresses };
  }
  const sets = networkSets.filter((set) => meetsSet(set, parts, namespace));
  const listed = sets.reduce((all, set) => all.union(set.addresses), AddressSet.none);
  const names = sets.flatMap((set) => set.domains);
  const pods = toPodSelector(parts, namespace);
  // With notSelector alone, addresses that no such set holds are meant as well.
  const excluded = networkSets
    .filter((set) => parts.notSelector?.matches(setLabels(set), set.namespace === "") === true)
    .reduce((all, set) => all.union(set.addresses), AddressSet.none);
  const external = limit(isSelected ? listed : AddressSet.all.subtract(excluded));
  return {
    key: `${key} sets ${addressKey(external)}`,
    pods,
    ...(nets === undefined ? {} : { within: nets }),
    ...(notNets === undefined ? {} : { outside: notNets }),
    ...(isSelected && !external.isEmpty ? { byAddress: external } : {}),
    external,
    ...(names.length > 0 ? { domains: names } : {}),
  };
}

function readParts(reader: Reader, entity: ObjectField): Parts {
  const [selector, notSelector, namespaceSelector] = ["selector", "notSelector", "namespaceSelector"].map((key) =>
    optional(reader, entity, key),
  );
  const accountsField = reader.object(reader.at(entity, "serviceAccounts"));
  const names = accountsField === undefined ? [] : reader.texts(reader.at(accountsField, "names"));
  const byLabels = accountsField === undefined ? undefined : optional(reader, accountsField, "selector");
  const accounts =
    names.length === 0 && byLabels === undefined
      ? undefined
      : (pod: PodFacts) =>
          (names.length === 0 || names.includes(pod.serviceAccount)) &&
          (byLabels === undefined || byLabels.matches(accountLabels(pod), false));
  const key = [selector?.key, notSelector?.key, namespaceSelector?.key, names.join(), byLabels?.key]
    .map((k) => k ?? "")
    .join("|");
  return { selector, notSelector, namespaceSelector, accounts, key };
}

function meetsSet(set: NetworkSet, parts: Parts, namespace: string): boolean {
  const isGlobal = set.namespace === "";
  if (parts.accounts !== undefined) return false;
  if (parts.namespaceSelector !== undefined) {
    // Of the namespaces of sets only the names are known here.
    const labels: Labels = isGlobal
      ? {}
      : { "projectcalico.org/name": set.namespace, "kubernetes.io/metadata.name": set.namespace };
    if (!parts.namespaceSelector.matches(labels, isGlobal)) return false;
  } else if (namespace !== "" && set.namespace !== namespace) return false;
  return (
    (parts.selector === undefined || parts.selector.matches(setLabels(set), isGlobal)) &&
    (parts.notSelector === undefined || !parts.notSelector.matches(setLabels(set), isGlobal))
  );
}

function setLabels({ labels, namespace }: NetworkSet): Labels {
  return namespace === "" ? labels : { ...labels, [namespaceLabel]: namespace };
}

function readNets(reader: Reader, field: Field | undefined): AddressSet | undefined {
  const list = reader.list(field);
  if (list === undefined) return undefined;
  return list.reduce((all, item) => {
    const set = AddressSet.parse(reader.text(item) ?? "");
    if (set === undefined) reader.problem(item.path, `${shown(item.value)} is no address range`);
    return set === undefined ? all : all.union(set);
  }, AddressSet.none);
}
