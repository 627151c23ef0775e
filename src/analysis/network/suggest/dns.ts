import type { ComponentCatalogue } from "../catalogue/component.ts";
import { componentOf } from "../catalogue/workload-component.ts";
import type { Network } from "../model.ts";
import { type Allow, type AllowPort, declaredPort } from "./allow.ts";
import { selectorPicker } from "./pod-selector.ts";

export interface DnsAllows {
  readonly allows: readonly Allow[];
  /** What could not be verified. */
  readonly notes: readonly string[];
}

const usualPorts: readonly AllowPort[] = (["UDP", "TCP"] as const).map((protocol) => ({ protocol, from: 53, to: 53 }));

/**
 * Rules that let a pod ask for names: without them nothing works that is called by name. The labels are those of the DNS
 * pods that are there; policies see the pods' own port, which on some platforms is not 53.
 */
export function dnsAllows(network: Network, catalogue: ComponentCatalogue): DnsAllows {
  const servers = network.workloads.filter((w) => componentOf(w, catalogue)?.component.role === "dns");
  const why = "names";
  const pick = selectorPicker(network);
  const allows = servers.flatMap((server): readonly Allow[] => {
    const selector = server.hostNetwork ? undefined : pick(server);
    if (selector === undefined) return [];
    const peer = { kind: "pods", namespace: server.namespace, labels: selector.labels } as const;
    const declared = server.ports
      .filter(({ name, port }) => /^dns/.test(name) || port === 53)
      .flatMap((p) => declaredPort(p) ?? []);
    return [{ direction: "egress", peer, ports: declared.length === 0 ? usualPorts : declared, why }];
  });
  if (allows.length > 0) return { allows, notes: [] };
  const peer = { kind: "pods", namespace: "kube-system", labels: { "k8s-app": "kube-dns" } } as const;
  return {
    allows: [{ direction: "egress", peer, ports: usualPorts, why }],
    notes: ["No DNS server is among the objects: its usual labels (k8s-app=kube-dns in kube-system) are taken and not verified."],
  };
}
