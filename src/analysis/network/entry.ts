import type { JsonPath } from "../../core/json.ts";
import { type KubernetesObject, type ResourceRef, resourceRef } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { ConnectionSet, protocols } from "./connection-set.ts";
import { anyPod } from "./engine/possible-pod.ts";
import type { Network, Workload } from "./model.ts";
import { type Backend, backendsOf, grantsOf } from "./world/routes.ts";
import { isInternal, isOutward, readService, type Service, selectsWorkload, targetAt } from "./world/services.ts";

/** A way from outside of the cluster to a workload. */
export interface EntryPoint {
  readonly kind: "LoadBalancer" | "NodePort" | "ExternalIP" | "Ingress" | "Route" | "Gateway";
  /** The Service, Ingress or route. */
  readonly ref: ResourceRef;
  readonly document: SourceDocument<KubernetesObject>;
  readonly path: JsonPath;
  readonly hosts: readonly string[];
  readonly workload: Workload;
  /** Where it leads at the workload's pods. */
  readonly connections: ConnectionSet;
  /** What of that the policies of the workload let in: from any address, or from a controller of which nobody knows labels. */
  readonly allowed: ConnectionSet;
  /** Reached from the internet as far as objects tell; not a load balancer that is kept private. */
  readonly isPublic: boolean;
}

/** Every Service, Ingress and route by which workloads can be reached from outside. */
export function entryPoints(network: Network): readonly EntryPoint[] {
  const fallback = network.options.namespace ?? "default";
  const services = new Map<string, Service>();
  for (const document of network.documents) {
    const service = readService(document, fallback);
    if (service !== undefined) services.set(`${service.namespace}/${service.name}`, service);
  }
  const byNamespace = Map.groupBy(network.workloads, (w) => w.namespace);
  const behind = (service: Service) => (byNamespace.get(service.namespace) ?? []).filter((w) => selectsWorkload(service, w));
  const granted = grantsOf(network.documents);
  const direct = [...services.values()].filter(isOutward).flatMap((s) => behind(s).map((w) => throughService(network, s, w)));
  const routed = network.documents
    .flatMap((document) => backendsOf(document, fallback, granted))
    .flatMap((backend) => {
      const service = services.get(`${backend.namespace}/${backend.service}`);
      return service === undefined ? [] : behind(service).map((w) => throughController(network, backend, service, w));
    });
  return [...direct, ...routed];
}

function throughService(network: Network, service: Service, workload: Workload): EntryPoint {
  const connections = service.ports.reduce((set, port) => set.union(targetAt(port, workload)), ConnectionSet.none);
  const someone = network
    .externalOf(workload, "ingress")
    .reduce((set, piece) => set.union(piece.connections), ConnectionSet.none);
  const kind = service.type === "LoadBalancer" || service.type === "NodePort" ? service.type : "ExternalIP";
  return {
    kind,
    ref: refOf(service.document, service.namespace),
    document: service.document,
    path: ["spec", "type"],
    hosts: [],
    workload,
    connections,
    allowed: connections.intersect(someone),
    isPublic: kind !== "LoadBalancer" || !isInternal(service.document.value),
  };
}

/** The controller is a pod that nobody showed, so only rules that let every pod in surely let it in. */
function throughController(network: Network, backend: Backend, service: Service, workload: Workload): EntryPoint {
  const { port: wanted } = backend;
  const { asNetpolAnalyzer } = network.options;
  const first = service.ports.find(
    (p) =>
      p.port === wanted ||
      (p.name !== "" && p.name === wanted) ||
      ((backend.kind === "Route" || asNetpolAnalyzer === true) && p.target === wanted),
  );
  const ports = wanted === undefined ? service.ports : first === undefined ? [] : [first];
  const connections = ports
    .reduce((set, port) => set.union(targetAt(port, workload)), ConnectionSet.none)
    .intersect(asNetpolAnalyzer === true ? declared(workload) : ConnectionSet.all);
  return {
    kind: backend.kind,
    ref: refOf(backend.document, backend.namespace),
    document: backend.document,
    path: backend.path,
    hosts: backend.hosts,
    workload,
    connections,
    allowed: connections.intersect(network.throughToPossible(workload, "ingress", anyPod)),
    isPublic: true,
  };
}

function declared({ ports }: Workload): ConnectionSet {
  return ports
    .filter((p) => p.protocol === protocols.TCP)
    .reduce((set, p) => set.union(ConnectionSet.of(p.protocol, p.port)), ConnectionSet.none);
}

function refOf(document: SourceDocument<KubernetesObject>, namespace: string): ResourceRef {
  const ref = resourceRef(document.value);
  return ref.namespace === "" ? { ...ref, namespace } : ref;
}
