import { asString, isArray, member } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { protocolNumber } from "../connection-set.ts";
import type { Network, Workload } from "../model.ts";
import { readService, type Service, selectsWorkload, targetAt } from "../world/services.ts";

export interface ServiceEntry {
  readonly service: Service;
  readonly workloads: readonly Workload[];
}

/** Services by name and by address: logs name what was called, policies hold what answers. */
export class ServiceIndex {
  readonly #byName = new Map<string, ServiceEntry>();
  readonly #byAddress = new Map<string, ServiceEntry>();

  constructor(network: Network) {
    const { workloads } = network;
    for (const document of network.documents) {
      const service = readService(document, network.options.namespace ?? "default");
      if (service === undefined) continue;
      const entry = { service, workloads: workloads.filter((w) => selectsWorkload(service, w)) };
      this.#byName.set(`${service.namespace}/${service.name}`, entry);
      for (const address of addressesOf(document.value)) this.#byAddress.set(address, entry);
    }
  }

  named(namespace: string, name: string): ServiceEntry | undefined {
    return this.#byName.get(`${namespace}/${name}`);
  }

  at(address: string): ServiceEntry | undefined {
    return this.#byAddress.get(address);
  }
}

/** Where a workload listens for what is sent to a port of the Service; the port itself where the Service has no such port. */
export function targetPort({ service }: ServiceEntry, workload: Workload, protocol: string, port: number): number {
  const entry = service.ports.find((p) => p.port === port && p.protocol === protocolNumber(protocol));
  const target = entry === undefined ? undefined : targetAt(entry, workload).ranges()[0]?.ranges[0];
  return target?.[0] ?? port;
}

function addressesOf(service: KubernetesObject): readonly string[] {
  const spec = service["spec"];
  const list = member(spec, "clusterIPs");
  const one = asString(member(spec, "clusterIP"));
  const all = isArray(list) ? list.filter((ip) => typeof ip === "string") : one === undefined ? [] : [one];
  return all.filter((ip) => ip !== "None" && ip !== "");
}
