import { asString, isArray, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import { groupOf, type KubernetesObject, namespaceOf } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";

/** A place in an Ingress or a route that sends traffic to a Service. */
export interface Backend {
  readonly document: SourceDocument<KubernetesObject>;
  readonly kind: "Ingress" | "Route" | "Gateway";
  readonly namespace: string;
  readonly service: string;
  /** A port of the Service by number or name; undefined: all of them. */
  readonly port: number | string | undefined;
  /** Of the field that names the Service. */
  readonly path: JsonPath;
  readonly hosts: readonly string[];
}

const gatewayRoutes = new Set(["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"]);

/** Backends of one object; none of other kinds. `granted` says whether a reference to another namespace's Service is allowed. */
export function backendsOf(
  document: SourceDocument<KubernetesObject>,
  fallback: string,
  granted: (from: KubernetesObject, namespace: string, service: string) => boolean,
): readonly Backend[] {
  const object = document.value;
  const group = groupOf(object);
  const namespace = namespaceOf(object) || fallback;
  const base = { document, namespace };
  if (object.kind === "Ingress" && (group === "networking.k8s.io" || group === "extensions")) return ingress(base);
  if (object.kind === "Route" && group === "route.openshift.io") return openShiftRoute(base);
  if (group === "gateway.networking.k8s.io" && gatewayRoutes.has(object.kind)) return gatewayRoute(base, granted);
  return [];
}

type Base = Pick<Backend, "document" | "namespace">;

function ingress(base: Base): readonly Backend[] {
  const spec = base.document.value["spec"];
  const backend = (value: JsonValue | undefined, path: JsonPath, host: string): Backend[] => {
    const service = member(value, "service");
    const name = asString(member(service, "name")) ?? asString(member(value, "serviceName"));
    if (name === undefined) return [];
    const port = member(service, "port");
    const number = member(port, "number") ?? member(value, "servicePort");
    const wanted = asString(member(port, "name")) ?? number;
    const hosts = host === "" ? [] : [host];
    return [{ ...base, kind: "Ingress", service: name, port: portOf(wanted), path, hosts }];
  };
  const rules = listOf(member(spec, "rules")).flatMap((rule, i) =>
    listOf(member(member(rule, "http"), "paths")).flatMap((entry, j) =>
      backend(
        member(entry, "backend"),
        ["spec", "rules", i, "http", "paths", j, "backend"],
        asString(member(rule, "host")) ?? "",
      ),
    ),
  );
  return [
    ...backend(member(spec, "defaultBackend"), ["spec", "defaultBackend"], ""),
    ...backend(member(spec, "backend"), ["spec", "backend"], ""),
    ...rules,
  ];
}

/** Only Services can be the target; the port is the target port of the Service. */
function openShiftRoute(base: Base): readonly Backend[] {
  const spec = base.document.value["spec"];
  const port = portOf(member(member(spec, "port"), "targetPort"));
  const host = asString(member(spec, "host"));
  const hosts = host === undefined ? [] : [host];
  const target = (value: JsonValue | undefined, path: JsonPath): Backend[] => {
    const kind = asString(member(value, "kind")) ?? "Service";
    const name = asString(member(value, "name"));
    return name === undefined || (kind !== "" && kind !== "Service")
      ? []
      : [{ ...base, kind: "Route", service: name, port, path, hosts }];
  };
  const others = listOf(member(spec, "alternateBackends")).flatMap((b, i) => target(b, ["spec", "alternateBackends", i]));
  return [...target(member(spec, "to"), ["spec", "to"]), ...others];
}

function gatewayRoute(
  base: Base,
  granted: (from: KubernetesObject, namespace: string, service: string) => boolean,
): readonly Backend[] {
  const spec = base.document.value["spec"];
  const hosts = listOf(member(spec, "hostnames")).flatMap((h) => asString(h) ?? []);
  return listOf(member(spec, "rules")).flatMap((rule, i) =>
    listOf(member(rule, "backendRefs")).flatMap((ref, j): Backend[] => {
      const service = asString(member(ref, "name"));
      const isService =
        (asString(member(ref, "kind")) ?? "Service") === "Service" && (asString(member(ref, "group")) ?? "") === "";
      if (service === undefined || !isService) return [];
      const namespace = asString(member(ref, "namespace")) ?? base.namespace;
      if (namespace !== base.namespace && !granted(base.document.value, namespace, service)) return [];
      const path = ["spec", "rules", i, "backendRefs", j];
      return [{ document: base.document, namespace, kind: "Gateway", service, port: portOf(member(ref, "port")), path, hosts }];
    }),
  );
}

function portOf(value: JsonValue | undefined): number | string | undefined {
  if (typeof value === "number") return value === 0 ? undefined : value;
  return typeof value === "string" && value !== "" ? value : undefined;
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return isArray(value) ? value : [];
}

/** Whether some ReferenceGrant lets routes of this kind and namespace lead to a Service elsewhere. */
export function grantsOf(documents: readonly SourceDocument<KubernetesObject>[]) {
  const grants = documents
    .map((d) => d.value)
    .filter((o) => o.kind === "ReferenceGrant" && groupOf(o) === "gateway.networking.k8s.io");
  return (from: KubernetesObject, namespace: string, service: string): boolean =>
    grants.some((grant) => {
      if (namespaceOf(grant) !== namespace) return false;
      const spec = grant["spec"];
      const isFrom = listOf(member(spec, "from")).some(
        (f) =>
          member(f, "group") === groupOf(from) && member(f, "kind") === from.kind && member(f, "namespace") === namespaceOf(from),
      );
      const isTo = listOf(member(spec, "to")).some((t) => {
        const name = asString(member(t, "name"));
        return (member(t, "group") ?? "") === "" && member(t, "kind") === "Service" && (name === undefined || name === service);
      });
      return isFrom && isTo;
    });
}
