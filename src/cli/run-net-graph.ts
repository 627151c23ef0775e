import type { Network } from "../analysis/network/model.ts";
import { blocksOf } from "../analysis/network/view/blocks.ts";
import { focusGraph, mostNodes, workloadGraph } from "../analysis/network/view/graph.ts";
import { namespaceGraph } from "../analysis/network/view/namespaces.ts";
import { networkPage } from "../analysis/network/view/page.ts";
import type { NetworkGraph, NetworkTable } from "../core/network-graph.ts";
import { networkHtml } from "../report/network-html.ts";
import { svg } from "../report/network-svg.ts";
import { csvTable, markdownTable, textTable } from "../report/network-table.ts";
import { dot, mermaid } from "../report/network-text.ts";
import { readWorkload } from "../services/network-endpoint.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { loadNetwork, type NetFlags } from "./net-input.ts";
import { finish } from "./run-policy.ts";
import { writeFile } from "./write-report.ts";

export const graphFormats = ["mermaid", "dot", "svg", "html", "json", "table", "csv", "md"] as const;
export type GraphFormat = (typeof graphFormats)[number];

export interface GraphFlags extends NetFlags {
  readonly focus?: string;
  readonly view: "auto" | "workloads" | "namespaces";
  readonly output: GraphFormat;
  readonly outputFile?: string;
}

export async function runGraph(flags: GraphFlags, context: CommandContext): Promise<void> {
  const input = await loadNetwork(flags, context);
  const text =
    flags.output === "html" ? page(input.network, input.sources) : written(graphOf(flags, input.network), flags.output);
  if (flags.outputFile === undefined) context.io.out(text);
  else {
    writeFile(flags.outputFile, text);
    context.io.out(`The drawing is in ${flags.outputFile}\n`);
  }
  finish(input.diagnostics, context);
}

function page(network: Network, sources: readonly string[]): string {
  return networkHtml(networkPage(network, `Network of ${sources.join(", ")}`));
}

/** One workload's peers; else all restricted ways, by workload where that can be read, by namespace else. */
function graphOf({ focus, view }: GraphFlags, network: Network): NetworkGraph {
  if (focus !== undefined) {
    const named = readWorkload(focus, network);
    if (!named.ok) throw new UsageError(named.message);
    return focusGraph(network, named.value);
  }
  const blocks = blocksOf(network);
  const byWorkload = view === "namespaces" ? undefined : workloadGraph(network, blocks);
  if (byWorkload !== undefined) return byWorkload;
  const byNamespace = view === "workloads" ? undefined : namespaceGraph(network, blocks);
  if (byNamespace !== undefined) return byNamespace;
  throw new UsageError(
    `there are more than ${mostNodes} nodes, which nobody can read: choose one workload with --focus, or use net matrix or -o html`,
  );
}

function written(graph: NetworkGraph, format: Exclude<GraphFormat, "html">): string {
  switch (format) {
    case "mermaid":
      return mermaid(graph);
    case "dot":
      return dot(graph);
    case "svg":
      return svg(graph);
    case "json":
      return `${JSON.stringify(graph, null, 2)}\n`;
    case "table":
      return textTable(tableOf(graph), false);
    case "csv":
      return csvTable(tableOf(graph));
    case "md":
      return markdownTable(tableOf(graph));
  }
}

function tableOf({ nodes, edges }: NetworkGraph): NetworkTable {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const name = (id: string) => {
    const node = byId.get(id);
    if (node === undefined) return id;
    return node.group === "" || node.kind === "namespace" ? node.label : `${node.group}/${node.label}`;
  };
  return { columns: ["FROM", "TO", "CONNECTIONS"], rows: edges.map(({ from, to, label }) => [name(from), name(to), label]) };
}
