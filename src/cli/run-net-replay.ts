import { loadPaths } from "../adapters/files/load-paths.ts";
import { describeEndpoint } from "../analysis/network/describe.ts";
import type { ReplayResult } from "../analysis/network/flows/replay.ts";
import { replayTraffic } from "../analysis/network/flows/replay.ts";
import type { Observed } from "../analysis/network/flows/traffic.ts";
import type { Explanation, Network } from "../analysis/network/model.ts";
import type { NetworkTable } from "../core/network-graph.ts";
import { networkWith } from "../services/network-change.ts";
import { teamOfLabels } from "../services/team.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { type FlowFlags, loadFlows } from "./flow-input.ts";
import { loadNetwork, type NetFlags, type NetInput } from "./net-input.ts";
import { type TableFormat, writeTable } from "./net-output.ts";
import { finish } from "./run-policy.ts";

export interface ReplayFlags extends NetFlags, FlowFlags {
  readonly policies?: readonly string[];
  readonly replace?: boolean;
  readonly output: TableFormat;
}

/** Which recorded flows the candidate would deny; without one, the policies that are there. */
export async function runReplay(flags: ReplayFlags, context: CommandContext): Promise<void> {
  if (flags.flows === undefined) throw new UsageError("name the recorded flows with --flows");
  requireOneInput([...(flags.flows ?? []), ...(flags.file ?? []), ...(flags.policies ?? [])]);
  const input = await loadNetwork(flags, context);
  const flows = await loadFlows(flags, input.network);
  const candidate = await loadPaths(flags.policies ?? []);
  const network = withCandidate(input, candidate.documents, flags.replace === true);
  const result = replayTraffic(flows.traffic, network);
  const table = deniedTable(result, network);
  const notes = [...replayNotes(result), ...teams(result, network), ...flows.notes];
  const json = { ...replayData(result, network), notes: flows.notes };
  writeTable({ table, notes, json, nothing: "No recorded flow would be denied." }, flags.output, context);
  if (result.denied.length > 0) context.exit(exitCodes.findings);
  finish([...input.diagnostics, ...candidate.diagnostics, ...flows.diagnostics], context);
}

/** Standard input can be read once. */
export function requireOneInput(paths: readonly string[]): void {
  if (paths.filter((path) => path === "-").length > 1)
    throw new UsageError("standard input can be read once: only one of the paths may be -");
}

function withCandidate(input: NetInput, candidate: NetInput["documents"], replace: boolean): Network {
  const policies = new Set<unknown>(replace ? input.network.policies.map((p) => p.document) : []);
  return networkWith(
    input.documents.filter((document) => !policies.has(document)),
    candidate,
    input.options,
  );
}

export function deniedTable({ denied }: ReplayResult, network: Network): NetworkTable {
  const rows = denied.map(({ observed, explanation }) => [
    describeEndpoint(observed.from),
    nameOf(observed),
    `${observed.protocol} ${observed.port ?? ""}`,
    String(observed.count),
    teamOf(observed, network),
    whyDenied(explanation),
  ]);
  return { columns: ["FROM", "TO", "PORT", "FLOWS", "TEAM", "WHY"], rows };
}

function nameOf({ to, names }: Observed): string {
  return names.size === 0 ? describeEndpoint(to) : `${[...names].join(", ")} (${describeEndpoint(to)})`;
}

function whyDenied({ egress, ingress }: Explanation): string {
  return [egress, ingress]
    .filter((side) => !side.allowed)
    .map((side) => `${side.direction}: ${side.text}`)
    .join("; ");
}

/** Whose the caller is: by the labels of its namespace, else the namespace; the called side's where the caller is outside. */
function teamOf({ from, to }: Observed, network: Network): string {
  const workload = from.kind === "workload" ? from : to.kind === "workload" ? to : undefined;
  if (workload === undefined) return "-";
  return teamOfLabels(network.namespaces.get(workload.namespace) ?? {}) ?? workload.namespace;
}

function teams({ denied }: ReplayResult, network: Network): readonly string[] {
  const counts = new Map<string, number>();
  for (const { observed } of denied) {
    const team = teamOf(observed, network);
    counts.set(team, (counts.get(team) ?? 0) + observed.count);
  }
  if (counts.size === 0) return [];
  const parts = [...counts].sort(([, a], [, b]) => b - a).map(([team, n]) => `${team} ${n}`);
  return [`By team: ${parts.join(", ")}.`];
}

export function replayNotes({ flows, connections, deniedFlows, denied, undecided }: ReplayResult): readonly string[] {
  const first = `${deniedFlows} of ${flows} flows would be denied, ${denied.length} of ${connections} pairs of endpoints and port.`;
  if (undecided.length === 0) return [first];
  return [first, `${undecided.length} pairs have no port or are of a protocol that policies say nothing about: undecided.`];
}

export function replayData(result: ReplayResult, network: Network): object {
  const { flows, connections, allowedFlows, deniedFlows, denied, undecided } = result;
  return {
    flows,
    connections,
    allowedFlows,
    deniedFlows,
    undecided: undecided.length,
    denied: denied.map(({ observed, explanation }) => ({
      from: describeEndpoint(observed.from),
      to: describeEndpoint(observed.to),
      names: [...observed.names],
      protocol: observed.protocol,
      port: observed.port ?? null,
      flows: observed.count,
      team: teamOf(observed, network),
      why: whyDenied(explanation),
    })),
  };
}
