import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AddressSet } from "../../../src/analysis/network/address-set.ts";
import { buildNetwork } from "../../../src/analysis/network/build.ts";
import { ConnectionSet } from "../../../src/analysis/network/connection-set.ts";
import { diffNetworks } from "../../../src/analysis/network/diff.ts";
import { entryPoints } from "../../../src/analysis/network/entry.ts";
import { exposureOf } from "../../../src/analysis/network/exposure.ts";
import type { Endpoint, Network } from "../../../src/analysis/network/model.ts";
import { isKubernetesObject } from "../../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../../src/core/source.ts";
import { failure, type Outcome, passed } from "../corpus.ts";
import { factsOf, type Line, parseConnections, possibleText } from "./connection-text.ts";
import { type Row, readManifests, workloadCatalogue } from "./manifests.ts";
import { parseEdges, parseReport } from "./npga-report.ts";

const controller = "{ingress-controller}";

interface Focus {
  readonly focusWorkloads?: readonly string[];
  readonly focusWorkloadPeers?: readonly string[];
  readonly focusDirection?: "ingress" | "egress";
  readonly focusConn?: string;
}

/** Reports of netpol-analyzer, compared as sets of connections. */
export async function runReport(directory: string, row: Row): Promise<Outcome> {
  const network = await npgaNetwork(directory, row.inputs, row.options["multipleNetworksEnabled"] === true);
  const options: Focus = row.options;
  const focus = options.focusConn?.replace("-", " ").toUpperCase() ?? "";
  const format = row.kind.split("-")[1] ?? "";
  const text = await readFile(join(directory, row.expected), "utf8");
  const expected = parseReport(text, format, focus);
  const actual = focused(
    [...connectionLines(network), ...(row.kind.startsWith("exposure") ? exposureLines(network, format) : [])],
    options,
  );
  return compare(actual, expected);
}

export async function npgaNetwork(directory: string, inputs: readonly string[], allNetworks = false): Promise<Network> {
  const documents = (await readManifests(inputs.map((p) => join(directory, p)))).map(asPod);
  return buildNetwork(documents, {
    catalogue: await workloadCatalogue(),
    cni: "generic",
    asNetpolAnalyzer: true,
    podNetworkOnly: !allNetworks,
  });
}

/** A pod is told by its kind there, whatever its apiVersion says. */
function asPod(document: SourceDocument): SourceDocument {
  const { value } = document;
  if (!isKubernetesObject(value) || value.kind !== "Pod" || value.apiVersion === "v1") return document;
  return { ...document, value: { ...value, apiVersion: "v1" }, locate: () => undefined, locateKey: () => undefined };
}

function compare(actual: readonly Line[], expected: readonly Line[]): Outcome {
  const [ours, theirs] = [new Set(factsOf(actual)), new Set(factsOf(expected))];
  const missing = [...theirs].filter((fact) => !ours.has(fact));
  const extra = [...ours].filter((fact) => !theirs.has(fact));
  if (missing.length === 0 && extra.length === 0) return passed;
  return failure(
    `missing ${missing.length}: ${missing.slice(0, 3).join(" | ")} EXTRA ${extra.length}: ${extra.slice(0, 3).join(" | ")}`,
  );
}

function connectionLines(network: Network): readonly Line[] {
  const lines: Line[] = [];
  const add = (from: string, to: string, set: ConnectionSet) => {
    const connections = textOf(set);
    if (from !== to && connections !== "No Connections") lines.push({ section: "connections", from, to, connections });
  };
  for (const { from, to, connections } of network.edges()) {
    for (const a of namesOf(from)) for (const b of namesOf(to)) add(a, b, connections);
  }
  const controlled = new Map<string, ConnectionSet>();
  for (const { kind, workload, allowed } of entryPoints(network)) {
    if (kind !== "Ingress" && kind !== "Route") continue;
    controlled.set(workload.id, controlled.get(workload.id)?.union(allowed) ?? allowed);
  }
  for (const [to, set] of controlled) add(controller, to, set);
  return lines;
}

/** IPv4 only, as these reports are. */
function namesOf(endpoint: Endpoint): readonly string[] {
  // Pods of one owner are one peer there, even where labels differ.
  if (endpoint.kind === "workload") return [endpoint.id.replace(/\].*$/, "]")];
  if (endpoint.kind !== "external") return [];
  return endpoint.addresses.intersect(AddressSet.allIpv4).toRanges();
}

function textOf(set: ConnectionSet, names: readonly string[] = []): string {
  if (set.allPorts) return "All Connections";
  const parts = set.portsOnly.toString() === "no connections" ? [] : set.portsOnly.toString().split("; ");
  const text = parts.map((part) => (part.includes(" ") ? part : `${part} 1-65535`));
  return [...text, ...names].join(",") || "No Connections";
}

function exposureLines(network: Network, format: string): readonly Line[] {
  return exposureOf(network).flatMap(
    ({ workload, direction, isProtected, cluster, clusterNamed, possible, external }): Line[] => {
      const line = (other: string, connections: string): Line =>
        direction === "ingress"
          ? { section: direction, from: other, to: workload.id, connections }
          : { section: direction, from: workload.id, to: other, connections };
      const open = [line("entire-cluster", textOf(cluster, clusterNamed))].filter((l) => l.connections !== "No Connections");
      const addresses = external.flatMap((piece) =>
        namesOf({ kind: "external", addresses: piece.addresses }).map((range) => line(range, textOf(piece.connections))),
      );
      const word = direction === "ingress" ? "Ingress" : "Egress";
      const bare = { section: "unprotected", from: workload.id, to: word, connections: "No Connections" };
      // Drawings show addresses as connections only.
      if (format === "dot") return [...open, ...possible.map((p) => line(possibleText(p.pod), textOf(p.connections, p.named)))];
      return [
        ...open,
        ...possible.map((p) => line(possibleText(p.pod), textOf(p.connections, p.named))),
        ...addresses,
        ...(isProtected || format !== "txt" ? [] : [bare]),
      ];
    },
  );
}

function focused(
  lines: readonly Line[],
  { focusWorkloads, focusWorkloadPeers, focusDirection, focusConn }: Focus,
): readonly Line[] {
  const isOne = (text: string, names: readonly string[]) => {
    const bare = text.replace(/\[[^\]]*\]$/, "");
    return names.some(
      (name) => bare === name || bare.endsWith(`/${name}`) || (name === "ingress-controller" && text === controller),
    );
  };
  const inFocus = ({ section, from, to }: Line) => {
    if (focusWorkloads === undefined) return true;
    const other = (text: string) => focusWorkloadPeers === undefined || isOne(text, focusWorkloadPeers);
    const leaving = focusDirection !== "ingress" && isOne(from, focusWorkloads) && other(to);
    const arriving = focusDirection !== "egress" && isOne(to, focusWorkloads) && other(from);
    return section === "unprotected" ? isOne(from, focusWorkloads) : leaving || arriving;
  };
  const [protocol, port] = (focusConn ?? "").split("-");
  const wanted = focusConn === undefined ? undefined : parseConnections(`${protocol?.toUpperCase()} ${port}`).set;
  const inWords = lines.filter(inFocus);
  if (wanted === undefined) return inWords;
  // What every pod of the cluster may do is not said again of some.
  const wide = new Set(
    inWords
      .filter(
        ({ from, to, connections }) =>
          [from, to].includes("entire-cluster") && parseConnections(connections).set.contains(wanted),
      )
      .map(({ section, from, to }) => `${section} ${from === "entire-cluster" ? to : from}`),
  );
  return inWords.flatMap((line) => {
    const own = line.section === "ingress" ? line.to : line.from;
    const isPossible = /\/\[(all pods|pod with)/.test(line.section === "ingress" ? line.from : line.to);
    if (line.section === "unprotected" || (isPossible && wide.has(`${line.section} ${own}`))) return [];
    return parseConnections(line.connections).set.contains(wanted) ? [{ ...line, connections: textOf(wanted) }] : [];
  });
}

/** Differences of two states: kind, ends and both sets of connections. */
export async function runDiff(directory: string, row: Row): Promise<Outcome> {
  const [old, now] = await Promise.all(row.inputs.map((input) => npgaNetwork(directory, [input])));
  if (old === undefined || now === undefined) return failure("two inputs are needed");
  const format = row.kind.split("-")[1] ?? "";
  const expected = parseDiff(await readFile(join(directory, row.expected), "utf8"), format);
  return compare([...workloadChanges(old, now), ...controllerChanges(old, now)], expected);
}

function changeLine(from: string, to: string, was: ConnectionSet, is: ConnectionSet): readonly Line[] {
  const [before, after] = [textOf(was), textOf(is)];
  if (before === after || from === to) return [];
  const section = before === "No Connections" ? "added" : after === "No Connections" ? "removed" : "changed";
  return [
    { section: `${section} to`, from, to, connections: after },
    { section: `${section} from`, from, to, connections: before },
  ];
}

function workloadChanges(old: Network, now: Network): readonly Line[] {
  return diffNetworks(old, now).changes.flatMap(({ from, to, before, after }) =>
    namesOf(from).flatMap((a) => namesOf(to).flatMap((b) => changeLine(a, b, before, after))),
  );
}

function controllerChanges(old: Network, now: Network): readonly Line[] {
  const [before, after] = [old, now].map(
    (network) =>
      new Map(
        connectionLines(network).flatMap((l) =>
          l.from === controller ? [[l.to, parseConnections(l.connections).set] as const] : [],
        ),
      ),
  );
  const all = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])]);
  return [...all].flatMap((to) =>
    changeLine(controller, to, before?.get(to) ?? ConnectionSet.none, after?.get(to) ?? ConnectionSet.none),
  );
}

/** Green is new, red is gone, magenta says what it was; grey did not change. */
function parseDrawnDiff(text: string): readonly Line[] {
  return parseEdges(text).flatMap(({ from, to, label, color }): Line[] => {
    const change = (type: string, before: string, after: string): Line[] => [
      { section: `${type} to`, from, to, connections: after },
      { section: `${type} from`, from, to, connections: before },
    ];
    if (color === "#008000") return change("added", "No Connections", label);
    if (color === "red2") return change("removed", label, "No Connections");
    const changed = /^(.*) \(ref1: (.*)\)$/.exec(label);
    return color === "magenta" && changed !== null ? change("changed", changed[2] ?? "", changed[1] ?? "") : [];
  });
}

function parseDiff(text: string, format: string): readonly Line[] {
  if (format === "dot") return parseDrawnDiff(text);
  const rows =
    format === "txt"
      ? text.split("\n").flatMap((line) => {
          const match =
            /^diff-type: (\w+), source: (.*), destination: (.*), ref1: (.*?), ref2: (.*?)(?:, workloads-diff-info.*)?\s*$/.exec(
              line,
            );
          return match === null ? [] : [match.slice(1)];
        })
      : text
          .split(/\r?\n/)
          .map((line) =>
            format === "csv"
              ? line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((c) => c.replace(/^"|"$/g, ""))
              : line
                  .split("|")
                  .slice(1)
                  .map((c) => c.trim()),
          )
          .filter(([type]) => type === "added" || type === "removed" || type === "changed");
  return rows.flatMap(([type, from = "", to = "", before = "", after = ""]) => [
    { section: `${type} to`, from, to, connections: after },
    { section: `${type} from`, from, to, connections: before },
  ]);
}
