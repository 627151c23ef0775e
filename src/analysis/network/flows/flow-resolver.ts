import { AddressSet } from "../address-set.ts";
import type { Endpoint, Network, Workload } from "../model.ts";
import type { FlowEnd } from "./flow.ts";
import { ownerNames } from "./pod-names.ts";
import { type ServiceEntry, ServiceIndex } from "./service-index.ts";

/** What a side of a flow is in the network. */
export interface ResolvedEnd {
  /** Usually one; all that answer for a Service; none where nobody knows. */
  readonly endpoints: readonly Endpoint[];
  /** The Service whose port was called, where the log holds no port of a pod. */
  readonly service: ServiceEntry | undefined;
  /** DNS names of what is outside. */
  readonly names: readonly string[];
  /** What to call it where there is no endpoint. */
  readonly text: string;
}

/** Finds workloads, nodes and external addresses for the sides of flows. Each side is looked up once. */
export class FlowResolver {
  readonly services: ServiceIndex;
  readonly #network: Network;
  readonly #known = new Map<FlowEnd, ResolvedEnd>();
  readonly #byNamespace: ReadonlyMap<string, readonly Workload[]>;

  constructor(network: Network) {
    this.#network = network;
    this.services = new ServiceIndex(network);
    this.#byNamespace = Map.groupBy(network.workloads, (w) => w.namespace);
  }

  resolve(end: FlowEnd): ResolvedEnd {
    const known = this.#known.get(end);
    if (known !== undefined) return known;
    const resolved = this.#find(end);
    this.#known.set(end, resolved);
    return resolved;
  }

  #find(end: FlowEnd): ResolvedEnd {
    const text = describeEnd(end);
    const one = (endpoint: Endpoint): ResolvedEnd => ({ endpoints: [endpoint], service: undefined, names: end.names, text });
    const workload = this.#workload(end);
    if (workload !== undefined) return one(workload);
    if (end.pod !== "" || end.workload !== "") return { endpoints: [], service: undefined, names: [], text };
    if (end.entity === "apiserver") return one(this.#network.apiServer);
    const service = this.services.at(end.ip) ?? this.#namedService(end);
    if (service !== undefined) {
      const isApiServer = service.service.namespace === "default" && service.service.name === "kubernetes";
      return isApiServer ? one(this.#network.apiServer) : { endpoints: service.workloads, service, names: [], text };
    }
    if (end.entity === "node" || end.entity === "health") {
      const at = end.ip === "" ? undefined : this.#network.at(end.ip);
      const node = at?.kind === "node" ? at : this.#network.nodes[0];
      return node === undefined ? { endpoints: [], service: undefined, names: [], text } : one(node);
    }
    const at = end.ip === "" ? undefined : this.#network.at(end.ip);
    if (at !== undefined) return one(at);
    // Aggregated logs keep no address of the internet, only that it was there.
    if (end.entity === "world") return one({ kind: "external", addresses: AddressSet.all });
    return { endpoints: [], service: undefined, names: end.names, text };
  }

  #namedService({ service, ip }: FlowEnd): ServiceEntry | undefined {
    // With an address the pod that answered is known.
    if (service === undefined || (ip !== "" && this.#network.at(ip)?.kind === "workload")) return undefined;
    return this.services.named(service.namespace, service.name);
  }

  #workload(end: FlowEnd): Workload | undefined {
    if (end.ip !== "") {
      const at = this.#network.at(end.ip);
      if (at?.kind === "workload" && (end.namespace === "" || at.namespace === end.namespace)) return at;
    }
    const here = this.#byNamespace.get(end.namespace) ?? [];
    const names = [...(end.workload === "" ? [] : ownerNames(end.workload)), ...(end.pod === "" ? [] : ownerNames(end.pod))];
    for (const name of names) {
      const found = here.filter((w) => w.owner.name === name);
      const only = found.length === 1 ? found[0] : byLabels(found, end);
      if (only !== undefined) return only;
    }
    return byLabels(here, end);
  }
}

/** The workload whose labels the pod carries, most of them; pods carry more than their template: a hash, an index. */
function byLabels(workloads: readonly Workload[], { labels }: FlowEnd): Workload | undefined {
  if (labels === undefined) return undefined;
  let best: Workload | undefined;
  let most = 0;
  for (const workload of workloads) {
    const own = Object.entries(workload.labels);
    if (own.length <= most || !own.every(([key, value]) => labels[key] === value)) continue;
    best = workload;
    most = own.length;
  }
  return best;
}

function describeEnd(end: FlowEnd): string {
  if (end.pod !== "" || end.workload !== "") return `${end.namespace}/${end.pod || end.workload}`;
  if (end.service !== undefined) return `service ${end.service.namespace}/${end.service.name}`;
  if (end.names[0] !== undefined) return end.names[0];
  return end.ip || end.entity || "unknown";
}
