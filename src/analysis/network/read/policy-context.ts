import { asString, isArray, member } from "../../../core/json.ts";
import { groupOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import { AddressSet } from "../address-set.ts";
import { readTierObject } from "./calico.ts";
import type { NetworkSet } from "./calico-entity.ts";

/** What policies refer to and do not hold themselves. */
export interface PolicyContext {
  /** Of policies that name none. */
  readonly namespace: string;
  /** Calico's, by name. */
  readonly tiers: ReadonlyMap<string, { readonly order: number; readonly passes: boolean }>;
  readonly networkSets: readonly NetworkSet[];
  /** Cilium's CIDR groups, by name. */
  readonly cidrGroups: ReadonlyMap<string, AddressSet>;
}

const contextKinds = new Set(["Tier", "NetworkSet", "GlobalNetworkSet", "CiliumCIDRGroup"]);

export function isPolicyContext(object: KubernetesObject): boolean {
  return contextKinds.has(object.kind) && /calico|cilium/.test(groupOf(object));
}

export function policyContext(objects: Iterable<KubernetesObject>, namespace: string): PolicyContext {
  const tiers = new Map<string, { readonly order: number; readonly passes: boolean }>();
  const networkSets: NetworkSet[] = [];
  const cidrGroups = new Map<string, AddressSet>();
  for (const object of objects) {
    if (!isPolicyContext(object)) continue;
    const spec = object["spec"];
    if (object.kind === "Tier") tiers.set(...readTierObject(object));
    else if (object.kind === "CiliumCIDRGroup") cidrGroups.set(nameOf(object), addressesOf(member(spec, "externalCIDRs")));
    else {
      networkSets.push({
        namespace: object.kind === "GlobalNetworkSet" ? "" : namespaceOf(object) || namespace,
        labels: labelsOf(object),
        addresses: addressesOf(member(spec, "nets")),
        domains: textsOf(member(spec, "allowedEgressDomains")),
      });
    }
  }
  return { namespace, tiers, networkSets, cidrGroups };
}

function textsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

/** What is no range is left out: it holds nothing. */
function addressesOf(list: Parameters<typeof isArray>[0]): AddressSet {
  const items = isArray(list) ? list : [];
  return items.reduce<AddressSet>(
    (set, item) => set.union(AddressSet.parse(asString(item) ?? "") ?? AddressSet.none),
    AddressSet.none,
  );
}
