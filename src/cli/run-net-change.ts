import { protocolName } from "../analysis/network/connection-set.ts";
import { describeEndpoint } from "../analysis/network/describe.ts";
import { diffNetworks } from "../analysis/network/diff.ts";
import { entryPoints } from "../analysis/network/entry.ts";
import { type Exposure, exposureOf } from "../analysis/network/exposure.ts";
import type { EdgeChange, Network, NetworkDifference, PossiblePod, Requirement } from "../analysis/network/model.ts";
import {
  changeGroups,
  describeEndpoints,
  differenceGraph,
  namespaceChanges,
  oneSidedGains,
  totals,
} from "../analysis/network/view/difference.ts";
import type { NetworkTable } from "../core/network-graph.ts";
import { svg } from "../report/network-svg.ts";
import { dot, mermaid } from "../report/network-text.ts";
import { list } from "../services/network-endpoint.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { loadNetwork, loadNetworkPath, type NetFlags } from "./net-input.ts";
import { type TableFormat, writeTable } from "./net-output.ts";
import { finish } from "./run-policy.ts";

export const diffFormats = ["table", "json", "csv", "md", "dot", "mermaid", "svg"] as const;

export interface DiffFlags extends NetFlags {
  readonly output: (typeof diffFormats)[number];
}

/** Two files or folders, or what a file would change of the rest. */
export async function runDiff(
  before: string,
  after: string | undefined,
  flags: DiffFlags,
  context: CommandContext,
): Promise<void> {
  const hasBase = flags.file !== undefined || flags.cluster === true;
  if (after === undefined && !hasBase)
    throw new UsageError("name the state before and the state after, or --file or --cluster and what to add");
  if (after !== undefined && hasBase) throw new UsageError("name either two states, or --file or --cluster and one file to add");
  const [old, now, diagnostics] = after === undefined ? await added(before, flags, context) : await both(before, after, flags);
  const difference = diffNetworks(old, now);
  writeDifference(difference, now, flags.output, context, hints(old, now));
  if (difference.changes.length > 0) context.exit(exitCodes.findings);
  finish(diagnostics, context);
}

/** Hints that are shown. */
const mostHints = 6;

/** What one side lets through now, and the other does not. */
function hints(before: Network, after: Network): readonly string[] {
  const found = oneSidedGains(before, after);
  const lines = found
    .slice(0, mostHints)
    .map(({ from, to, connections, closed }) =>
      closed === "egress"
        ? `${to.id} lets ${from.id} in on ${connections} now, but ${from.id} is not let out to it.`
        : `${from.id} is let out to ${to.id} on ${connections} now, but ${to.id} does not let it in.`,
    );
  return found.length > mostHints ? [...lines, `${found.length - mostHints} more pairs are open on one side only.`] : lines;
}

async function both(before: string, after: string, flags: NetFlags) {
  const old = await loadNetworkPath(before, flags);
  const now = await loadNetworkPath(after, flags);
  return [old.network, now.network, [...old.diagnostics, ...now.diagnostics]] as const;
}

async function added(path: string, flags: NetFlags, context: CommandContext) {
  const { networkWith } = await import("../services/network-change.ts");
  const base = await loadNetwork(flags, context);
  const more = await loadNetworkPath(path, flags);
  const now = networkWith(base.documents, more.documents, base.options);
  return [base.network, now, [...base.diagnostics, ...more.diagnostics]] as const;
}

function writeDifference(
  difference: NetworkDifference,
  network: Network,
  format: DiffFlags["output"],
  context: CommandContext,
  more: readonly string[],
): void {
  switch (format) {
    case "dot":
      context.io.out(dot(differenceGraph(difference, network)));
      return;
    case "mermaid":
      context.io.out(mermaid(differenceGraph(difference, network)));
      return;
    case "svg":
      context.io.out(svg(differenceGraph(difference, network)));
      return;
    default: {
      const { gained, lost } = totals(difference);
      const table = differenceTable(
        difference,
        network,
        format === "table" || format === "md" ? mostGroups : Number.POSITIVE_INFINITY,
      );
      const shortened = table.columns.length > 4 ? ["By namespace, as the groups are too many to read; -o csv lists them."] : [];
      const summary = difference.changes.length === 0 ? [] : [`${lost} pairs lose connections, ${gained} gain some.`];
      const notes = [...summary, ...shortened, ...more];
      const json = { gained, lost, hints: more, changes: difference.changes.map(changeData) };
      const nothing = "No connection is gained or lost.";
      writeTable({ table, notes, json, nothing }, format, context);
    }
  }
}

/** Rows that a person reads. */
const mostGroups = 40;

/** By groups of workloads; by namespace where there are more than `most` of them. */
export function differenceTable(difference: NetworkDifference, network: Network, most: number): NetworkTable {
  const groups = changeGroups(difference);
  if (groups.length > most) {
    return { columns: ["", "FROM NAMESPACE", "TO NAMESPACE", "PAIRS", "AT MOST"], rows: namespaceChanges(difference) };
  }
  const rows = groups.map(({ change, from, to, connections }) => [
    change === "lost" ? "- lost" : "+ gained",
    describeEndpoints(from, network),
    describeEndpoints(to, network),
    connections.toString(),
  ]);
  return { columns: ["", "FROM", "TO", "CONNECTIONS"], rows };
}

function changeData({ from, to, before, after, gained, lost, endpoint }: EdgeChange): object {
  return {
    from: describeEndpoint(from),
    to: describeEndpoint(to),
    before: before.toString(),
    after: after.toString(),
    gained: gained.toString(),
    lost: lost.toString(),
    endpoint,
  };
}

export interface ExposureFlags extends NetFlags {
  readonly output: TableFormat;
}

/** What is reachable from outside, from the whole cluster, and what may go out. */
export async function runExposure(flags: ExposureFlags, context: CommandContext): Promise<void> {
  const input = await loadNetwork(flags, context);
  const { network } = input;
  const exposures = exposureOf(network);
  const entries = entryPoints(network);
  const rows = network.workloads.map((workload) => {
    const of = (direction: Exposure["direction"]) => exposures.find((e) => e.workload === workload && e.direction === direction);
    const ways = entries.filter((e) => e.workload === workload);
    const entrances = ways.map(
      ({ kind, ref, allowed }) => `${kind} ${ref.name}${allowed.isEmpty ? " (blocked)" : ` ${allowed}`}`,
    );
    return [workload.id, entrances.join("; ") || "-", inwards(of("ingress")), outwards(of("egress"))];
  });
  const table = { columns: ["WORKLOAD", "ENTRANCES", "MAY BE CALLED BY", "MAY CALL"], rows };
  const json = { exposure: exposures.map(exposureData), entries: entries.map(entryData) };
  writeTable({ table, notes: exposureNotes(exposures, network), json, nothing: "There is no workload." }, flags.output, context);
  finish(input.diagnostics, context);
}

function inwards(exposure: Exposure | undefined): string {
  if (exposure === undefined) return "-";
  return exposure.isProtected ? describeOpen(exposure) : "anything (no policy)";
}

function outwards(exposure: Exposure | undefined): string {
  if (exposure === undefined) return "-";
  return exposure.isProtected ? describeOpen(exposure) : "anything, the internet too (no policy)";
}

function describeOpen({ cluster, external, possible }: Exposure): string {
  const parts: string[] = [];
  if (!cluster.isEmpty) parts.push(`any pod: ${cluster}`);
  const wide = external.filter(({ connections }) => !connections.isEmpty);
  for (const { addresses, connections } of wide.slice(0, 2)) {
    parts.push(`${addresses.isAll ? "outside" : shortAddresses(addresses.toCidrs())}: ${connections}`);
  }
  if (wide.length > 2) parts.push(`${wide.length - 2} more address blocks`);
  const beyond = possible.filter(({ connections }) => !connections.isEmpty).map(({ pod }) => describePossible(pod));
  if (beyond.length > 0) parts.push(`also new pods ${list(beyond, 3)}`);
  return parts.length === 0 ? "only workloads that rules name" : parts.join("; ");
}

function describePossible({ namespace, pods }: PossiblePod): string {
  const text = (requirements: readonly Requirement[]) =>
    requirements.map(({ label, values }) => (label === nameLabel ? values.join("|") : `${label}=${values.join("|")}`)).join(",");
  const place = namespace.length === 0 ? "anywhere" : `in ${text(namespace)}`;
  return pods.length === 0 ? place : `${place} with ${text(pods)}`;
}

const nameLabel = "kubernetes.io/metadata.name";

function shortAddresses(blocks: readonly string[]): string {
  return blocks.length <= 2 ? blocks.join(", ") : `${blocks.slice(0, 2).join(", ")} and ${blocks.length - 2} more`;
}

function exposureNotes(exposures: readonly Exposure[], network: Network): readonly string[] {
  const open = (direction: Exposure["direction"]) => exposures.filter((e) => e.direction === direction && !e.isProtected).length;
  const total = network.workloads.length;
  return [
    `No policy protects ${open("ingress")} of ${total} workloads from callers; none limits whom ${open("egress")} of ${total} may call.`,
  ];
}

function exposureData({ workload, direction, isProtected, cluster, external, possible }: Exposure): object {
  return {
    workload: workload.id,
    direction,
    protected: isProtected,
    cluster: cluster.toString(),
    external: external.map(({ addresses, connections }) => ({
      addresses: addresses.toCidrs(),
      connections: connections.toString(),
    })),
    possible: possible.map(({ pod, connections }) => ({
      namespace: pod.namespace,
      pods: pod.pods,
      connections: connections.toString(),
    })),
  };
}

function entryData(entry: ReturnType<typeof entryPoints>[number]): object {
  const { kind, ref, hosts, workload, connections, allowed, isPublic } = entry;
  const ports = connections
    .ranges()
    .flatMap(({ protocol, ranges }) =>
      ranges.map(([from, to]) => `${protocolName(protocol)} ${from === to ? from : `${from}-${to}`}`),
    );
  return {
    kind,
    name: `${ref.namespace}/${ref.name}`,
    hosts,
    workload: workload.id,
    ports,
    allowed: allowed.toString(),
    public: isPublic,
  };
}
