import { asString, isArray, isObject, type JsonValue, member } from "../../../core/json.ts";
import { gvkOf, type KubernetesObject, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import type { Network, Workload } from "../model.ts";

interface ServicePort {
  readonly protocol: string;
  readonly port: number;
  /** A number, or the name of a container port; the port itself where nothing is written. */
  readonly target: number | string;
}

export interface ServiceEntry {
  readonly namespace: string;
  readonly name: string;
  readonly workloads: readonly Workload[];
  readonly ports: readonly ServicePort[];
}

/** Services by name and by address: logs name what was called, policies hold what answers. */
export class ServiceIndex {
  readonly #byName = new Map<string, ServiceEntry>();
  readonly #byAddress = new Map<string, ServiceEntry>();

  constructor(network: Network) {
    for (const { value } of network.documents) {
      if (value.kind !== "Service" || gvkOf(value).group !== "") continue;
      const entry = readService(value, network);
      this.#byName.set(`${entry.namespace}/${entry.name}`, entry);
      for (const address of addressesOf(value)) this.#byAddress.set(address, entry);
    }
  }

  named(namespace: string, name: string): ServiceEntry | undefined {
    return this.#byName.get(`${namespace}/${name}`);
  }

  at(address: string): ServiceEntry | undefined {
    return this.#byAddress.get(address);
  }

  get all(): readonly ServiceEntry[] {
    return [...this.#byName.values()];
  }
}

/** Where a workload listens for what is sent to a port of the Service; the port itself where the Service has no such port. */
export function targetPort(service: ServiceEntry, workload: Workload, protocol: string, port: number): number {
  const entry = service.ports.find((p) => p.port === port && p.protocol === protocol);
  if (entry === undefined) return port;
  if (typeof entry.target === "number") return entry.target;
  return workload.ports.find((p) => p.name === entry.target)?.port ?? port;
}

function readService(service: KubernetesObject, network: Network): ServiceEntry {
  const namespace = namespaceOf(service) || (network.options.namespace ?? "default");
  const spec = service["spec"];
  const selector = member(isObject(spec) ? spec : undefined, "selector");
  const wanted = isObject(selector) ? Object.entries(selector) : [];
  const workloads =
    wanted.length === 0
      ? []
      : network.workloads.filter((w) => w.namespace === namespace && wanted.every(([key, value]) => w.labels[key] === value));
  const ports = member(spec, "ports");
  return {
    namespace,
    name: nameOf(service),
    workloads,
    ports: isArray(ports) ? ports.flatMap((port) => readPort(port) ?? []) : [],
  };
}

function readPort(value: JsonValue): ServicePort | undefined {
  const port = member(value, "port");
  if (typeof port !== "number") return undefined;
  const target = member(value, "targetPort");
  const isTarget = typeof target === "number" || typeof target === "string";
  return { protocol: asString(member(value, "protocol")) ?? "TCP", port, target: isTarget ? target : port };
}

function addressesOf(service: KubernetesObject): readonly string[] {
  const spec = service["spec"];
  const list = member(isObject(spec) ? spec : undefined, "clusterIPs");
  const one = asString(member(spec, "clusterIP"));
  const all = isArray(list) ? list.filter((ip) => typeof ip === "string") : one === undefined ? [] : [one];
  return all.filter((ip) => ip !== "None" && ip !== "");
}
