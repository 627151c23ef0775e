import { asString, isArray, isObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import { groupOf, type KubernetesObject, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import { ConnectionSet, protocolNumber, protocols } from "../connection-set.ts";
import type { Workload } from "../model.ts";

/** A Service as far as it leads to pods. */
export interface Service {
  readonly document: SourceDocument<KubernetesObject>;
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly externalIps: boolean;
  /** Undefined: nobody selects the pods, endpoints are made by hand. */
  readonly selector: { readonly [label: string]: string } | undefined;
  readonly ports: readonly ServicePort[];
}

export interface ServicePort {
  readonly name: string;
  readonly protocol: number;
  readonly port: number;
  /** A number, or a name that the pod gives to its port. */
  readonly target: number | string;
  readonly nodePort: number | undefined;
  readonly path: JsonPath;
}

export function readService(document: SourceDocument<KubernetesObject>, fallback: string): Service | undefined {
  const object = document.value;
  if (object.kind !== "Service" || groupOf(object) !== "") return undefined;
  const spec = object["spec"];
  const selector = member(spec, "selector");
  const ports = member(spec, "ports");
  const externalIps = member(spec, "externalIPs");
  return {
    document,
    namespace: namespaceOf(object) || fallback,
    name: nameOf(object),
    type: asString(member(spec, "type")) ?? "ClusterIP",
    externalIps: isArray(externalIps) && externalIps.length > 0,
    selector: isObject(selector) && Object.keys(selector).length > 0 ? stringsOf(selector) : undefined,
    ports: (isArray(ports) ? ports : []).flatMap((port, i) => readPort(port, ["spec", "ports", i])),
  };
}

function stringsOf(object: { readonly [key: string]: JsonValue | undefined }): { readonly [key: string]: string } {
  return Object.fromEntries(Object.entries(object).flatMap(([k, v]) => (typeof v === "string" ? [[k, v]] : [])));
}

function readPort(value: JsonValue, path: JsonPath): ServicePort[] {
  const port = member(value, "port");
  if (typeof port !== "number") return [];
  const target = member(value, "targetPort");
  const isTarget = (typeof target === "number" && target !== 0) || (typeof target === "string" && target !== "");
  const nodePort = member(value, "nodePort");
  return [
    {
      name: asString(member(value, "name")) ?? "",
      protocol: protocolNumber(asString(member(value, "protocol")) ?? "TCP") ?? protocols.TCP,
      port,
      target: isTarget ? target : port,
      nodePort: typeof nodePort === "number" ? nodePort : undefined,
      path,
    },
  ];
}

export function selectsWorkload({ namespace, selector }: Service, workload: Workload): boolean {
  if (selector === undefined || workload.namespace !== namespace) return false;
  return Object.entries(selector).every(([key, value]) => workload.labels[key] === value);
}

/** Where a port of a Service leads at a workload; nothing where the workload has no port of that name. */
export function targetAt(port: ServicePort, workload: Workload): ConnectionSet {
  const { target, protocol } = port;
  if (typeof target === "number") return ConnectionSet.of(protocol, target);
  return workload.ports
    .filter((p) => p.name === target && p.protocol === protocol)
    .reduce((set, p) => set.union(ConnectionSet.of(protocol, p.port)), ConnectionSet.none);
}

/** Headless Services and ClusterIPs are reached from within; these are reached from outside, too. */
export function isOutward({ type, externalIps }: Service): boolean {
  return type === "LoadBalancer" || type === "NodePort" || externalIps;
}

/** Annotations by which clouds keep a load balancer in the private network. */
export function isInternal(object: KubernetesObject): boolean {
  const annotations = member(object.metadata, "annotations");
  if (!isObject(annotations)) return false;
  return Object.entries(annotations).some(
    ([key, value]) =>
      (/(load-balancer-(internal|type)|azure-load-balancer-internal|load-balancer-scheme)$/.test(key) ||
        key === "networking.gke.io/load-balancer-type") &&
      /^(true|internal|0\.0\.0\.0\/0)$/i.test(String(value)),
  );
}
