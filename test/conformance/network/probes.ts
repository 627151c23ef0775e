import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildNetwork } from "../../../src/analysis/network/build.ts";
import { protocolNumber } from "../../../src/analysis/network/connection-set.ts";
import type { Network, Workload } from "../../../src/analysis/network/model.ts";
import { failure, type Outcome, passed } from "../corpus.ts";
import { type Row, readManifests, workloadCatalogue } from "./manifests.ts";

/** One question and its recorded answer. */
interface Probe {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
  readonly expected: boolean;
  readonly side: "ingress" | "egress" | "both";
}

interface Table {
  readonly protocol: string;
  readonly port: number;
  readonly combined?: readonly string[];
  readonly ingress?: readonly string[];
  readonly egress?: readonly string[];
}

interface Expected {
  readonly pods?: readonly string[];
  readonly tables?: readonly Table[];
  readonly probes?: readonly { from: string; to: string; protocol: string; port: number; allowed: boolean }[];
  readonly expected?: { readonly [from: string]: { readonly [to: string]: boolean } };
  readonly protocol?: string;
  readonly port?: number;
}

/** Truth tables of cyclonus, the recipes and Kubernetes' own tests; probes of the policy API's conformance tests. */
export async function runProbes(directory: string, row: Row): Promise<Outcome> {
  const documents = await readManifests(row.inputs.map((p) => join(directory, p)));
  const network = buildNetwork(documents, { catalogue: await workloadCatalogue(), cni: "generic" });
  const probes = probesOf(JSON.parse(await readFile(join(directory, row.expected), "utf8")));
  const wrong = probes.filter((probe) => answer(network, probe) !== probe.expected);
  if (probes.length === 0) return failure("no probes");
  if (wrong.length === 0) return passed;
  const shown = wrong.slice(0, 3).map((p) => `${p.from} -> ${p.to} ${p.protocol} ${p.port} (${p.side}): expected ${p.expected}`);
  return failure(
    `${wrong.length} of ${probes.length} probes: ${shown.join("; ")} ${network.diagnostics.map((d) => d.message).join("; ")}`,
  );
}

function probesOf(expected: Expected): readonly Probe[] {
  const { pods = [], tables = [], probes = [] } = expected;
  const fromTables = tables.flatMap((table) =>
    (["combined", "ingress", "egress"] as const).flatMap((view) =>
      (table[view] ?? []).flatMap((line, i) =>
        [...line].flatMap((cell, j): Probe[] => {
          const [from, to] = [pods[i], pods[j]];
          if (from === undefined || to === undefined || i === j || (cell !== "A" && cell !== "B")) return [];
          const side = view === "combined" ? "both" : view;
          return [{ from, to, protocol: table.protocol, port: table.port, expected: cell === "A", side }];
        }),
      ),
    ),
  );
  const fromMap = Object.entries(expected.expected ?? {}).flatMap(([from, row]) =>
    Object.entries(row).flatMap(([to, allowed]): Probe[] =>
      from === to
        ? []
        : [{ from, to, protocol: expected.protocol ?? "TCP", port: expected.port ?? 0, expected: allowed, side: "both" }],
    ),
  );
  const recorded = probes.map((p): Probe => ({ ...p, expected: p.allowed, side: "both" }));
  return [...fromTables, ...fromMap, ...recorded];
}

function answer(network: Network, { from, to, protocol, port, side }: Probe): boolean | undefined {
  const [a, b] = [endpoint(network, from), endpoint(network, to)];
  const number = protocolNumber(protocol);
  if (a === undefined || b === undefined || number === undefined) return undefined;
  const verdict = network.between(a, b);
  return (side === "both" ? verdict.connections : verdict[side]).has(number, port);
}

/** `namespace/name`; an owner of several pods that differ is asked by the pod. */
function endpoint(network: Network, name: string): Workload | undefined {
  return (
    network.find(name) ??
    network.workloads.find((w) => w.id.endsWith(`/${name.split("/")[1]}`) && w.namespace === name.split("/")[0])
  );
}
