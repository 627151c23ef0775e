import { describeEndpoint } from "../analysis/network/describe.ts";
import type { Edge, Endpoint, Network } from "../analysis/network/model.ts";
import { blocksOf } from "../analysis/network/view/blocks.ts";
import { openNotes } from "../analysis/network/view/graph.ts";
import { namespaceMatrix } from "../analysis/network/view/namespaces.ts";
import type { NamespaceMatrix, NetworkTable } from "../core/network-graph.ts";
import { readEndpoint } from "../services/network-endpoint.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { loadNetwork, type NetFlags } from "./net-input.ts";
import { type TableFormat, writeTable } from "./net-output.ts";
import { finish } from "./run-policy.ts";

export interface ListFlags extends NetFlags {
  readonly from?: string;
  readonly to?: string;
  readonly all?: boolean;
  readonly output: TableFormat;
}

export async function runList(flags: ListFlags, context: CommandContext): Promise<void> {
  const input = await loadNetwork(flags, context);
  const { network } = input;
  const rows = edgesOf(flags, network).map((edge) => [
    describeEndpoint(edge.from),
    describeEndpoint(edge.to),
    edge.connections.toString(),
    ...(edge.conditions.length === 0 ? [] : [edge.conditions.map((c) => c.text).join("; ")]),
  ]);
  const hasConditions = rows.some((row) => row.length > 3);
  const table = { columns: ["FROM", "TO", "CONNECTIONS", ...(hasConditions ? ["ONLY"] : [])], rows: rows.sort(byCells) };
  writeTable({ table, notes: notesOf(flags, network), nothing: "Nothing passes." }, flags.output, context);
  finish(input.diagnostics, context);
}

/** Pairs that nobody restricts are told in words, unless they were asked for. */
function edgesOf({ from, to, all }: ListFlags, network: Network): readonly Edge[] {
  const isNamed = (text: string) => {
    const named = readEndpoint(text, network);
    if (!named.ok) throw new UsageError(named.message);
    const wanted = named.value;
    const name = describeEndpoint(wanted);
    return (endpoint: Endpoint) => endpoint === wanted || describeEndpoint(endpoint) === name;
  };
  const unrestricted = all === true || from !== undefined || to !== undefined;
  const edges = network.edges({
    ...(from === undefined ? {} : { from: isNamed(from) }),
    ...(to === undefined ? {} : { to: isNamed(to) }),
    unrestricted,
  });
  const isOpen = (side: Endpoint) => side.kind === "external" && side.addresses.isAll;
  return [...edges].filter((e) => unrestricted || !(e.connections.isAll && (isOpen(e.from) || isOpen(e.to))));
}

function notesOf({ from, to, all }: ListFlags, network: Network): readonly string[] {
  if (all === true || from !== undefined || to !== undefined) return [];
  const openSources = network.workloads.filter((w) => network.selecting(w, "egress").length === 0);
  const openTargets = network.workloads.filter((w) => network.selecting(w, "ingress").length === 0);
  const notes = openNotes(openSources, openTargets, network.workloads.length);
  return notes.length === 0 ? [] : [...notes, "--all lists what passes between them, too."];
}

function byCells(a: readonly string[], b: readonly string[]): number {
  const [x, y] = [a.join("\t"), b.join("\t")];
  return x < y ? -1 : x > y ? 1 : 0;
}

export interface MatrixFlags extends NetFlags {
  readonly output: TableFormat;
}

export async function runMatrix(flags: MatrixFlags, context: CommandContext): Promise<void> {
  const input = await loadNetwork(flags, context);
  const matrix = namespaceMatrix(input.network, blocksOf(input.network));
  const notes = [
    "all: everything between all pairs; ports: all pairs, not everything; a share: of pairs between which anything passes.",
  ];
  writeTable({ table: matrixTable(matrix), notes, json: matrix, nothing: "There is no workload." }, flags.output, context);
  finish(input.diagnostics, context);
}

function matrixTable({ namespaces, cells }: NamespaceMatrix): NetworkTable {
  const byPair = new Map(cells.map((cell) => [`${cell.from} ${cell.to}`, cell]));
  const rows = namespaces.map(({ name }) => [
    name,
    ...namespaces.map((to) => {
      const cell = byPair.get(`${name} ${to.name}`);
      if (cell === undefined) return "-";
      if (cell.open < cell.pairs) return `${Math.max(1, Math.round((100 * cell.open) / cell.pairs))}%`;
      return cell.label === "all connections" ? "all" : "ports";
    }),
  ]);
  return { columns: ["FROM \\ TO", ...namespaces.map((n) => n.name)], rows };
}
