import { AddressSet } from "../analysis/network/address-set.ts";
import { protocolNumber, protocols } from "../analysis/network/connection-set.ts";
import type { Endpoint, Network, Workload } from "../analysis/network/model.ts";
import { nearestName } from "../core/nearest-name.ts";

/** What was named, or a sentence that says why nothing is. */
export type Named<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

const named = <T>(value: T): Named<T> => ({ ok: true, value });
const unknown = (message: string) => ({ ok: false, message }) as const;

export const endpointForms =
  "a workload (namespace/name, name or id), an address or block, internet, apiserver, node, or dns:NAME";

/**
 * The endpoint that somebody means: a workload, `10.0.0.1`, `10.0.0.0/8`, `internet`, `apiserver`, `node`,
 * `dns:huggingface.co`. A message that proposes the nearest name where there is none.
 */
export function readEndpoint(text: string, network: Network): Named<Endpoint> {
  if (text === "apiserver") return named(network.apiServer);
  if (text === "internet" || text === "world") return named({ kind: "external", addresses: AddressSet.all });
  if (text === "node" || text === "nodes") {
    const [node] = network.nodes;
    return node === undefined ? unknown("there is no node") : named(node);
  }
  if (text.startsWith("dns:")) return named({ kind: "domain", names: [text.slice(4)] });
  const workload = readWorkload(text, network);
  if (workload.ok) return workload;
  const at = network.at(text);
  if (at !== undefined) return named(at);
  const addresses = text.includes("/") ? AddressSet.parse(text) : undefined;
  return addresses === undefined ? workload : named({ kind: "external", addresses });
}

/** A workload by id, `namespace/name`, `name` or `namespace/name/role`. */
export function readWorkload(text: string, network: Network): Named<Workload> {
  const found = network.find(text);
  if (found !== undefined) return named(found);
  const { workloads } = network;
  const fitting = workloads.filter((w) => namesOf(w).includes(text));
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return named(only);
  if (fitting.length > 1) return unknown(`${text} may be ${list(fitting.map((w) => w.id))}: name one of them`);
  if (workloads.length === 0) return unknown(`${text} is not there: no object holds pods`);
  const near = nearestName(text, workloads.flatMap(namesOf));
  const inside = text.includes("/") ? workloads.filter((w) => w.namespace === text.split("/")[0]) : [];
  const hint =
    near !== undefined
      ? `; did you mean ${near}?`
      : inside.length > 0
        ? `; ${text.split("/")[0]} has ${list(inside.map((w) => w.owner.name))}`
        : "";
  return unknown(`no workload is called ${text}${hint}`);
}

function namesOf({ owner, namespace, role, id }: Workload): readonly string[] {
  const names = [`${namespace}/${owner.name}`, owner.name, id];
  return role === "" ? names : [...names, `${namespace}/${owner.name}/${role}`, `${owner.name}/${role}`];
}

/** The first ones of a list. */
export function list(names: readonly string[], most = 6): string {
  const unique = [...new Set(names)];
  const more = unique.length > most ? ` and ${unique.length - most} more` : "";
  return `${unique.slice(0, most).join(", ")}${more}`;
}

export interface PortQuestion {
  readonly protocol: number;
  readonly port: number;
  /** As it was asked for. */
  readonly name: string;
}

/** `8080`, `8080/udp`, `udp/53`, or the name of a port of the called workload. */
export function readPort(text: string, to: Endpoint): Named<PortQuestion> {
  const [a = "", b] = text.split("/");
  const [portText, protocolText] = protocolNumber(a) === undefined ? [a, b ?? "TCP"] : [b ?? "", a];
  const protocol = protocolNumber(protocolText);
  if (protocol === undefined || ![protocols.TCP, protocols.UDP, protocols.SCTP].some((p) => p === protocol)) {
    return unknown(`${protocolText} is not one of TCP, UDP, SCTP`);
  }
  if (/^\d+$/.test(portText)) {
    const port = Number(portText);
    return port >= 1 && port <= 65_535
      ? named({ protocol, port, name: text })
      : unknown(`${portText} is no port: they go from 1 to 65535`);
  }
  if (to.kind !== "workload") return unknown(`${text} is no number, and only workloads name their ports`);
  const declared = to.ports.find((p) => p.name === portText && (b === undefined || p.protocol === protocol));
  if (declared !== undefined) return named({ protocol: declared.protocol, port: declared.port, name: text });
  const names = to.ports.map((p) => p.name).filter((n) => n !== "");
  return unknown(`${to.id} has no port named ${portText}${names.length === 0 ? "" : `; it has ${list(names)}`}`);
}
