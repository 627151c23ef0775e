import { readLogLines } from "../adapters/files/read-lines.ts";
import { FlowLog } from "../analysis/network/flows/flow-log.ts";
import type { FlowFormatName } from "../analysis/network/flows/formats.ts";
import { Traffic } from "../analysis/network/flows/traffic.ts";
import type { Network } from "../analysis/network/model.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { count } from "../report/text.ts";

export interface FlowFlags {
  readonly flows?: readonly string[];
  readonly format?: FlowFormatName;
}

export interface FlowInput {
  readonly traffic: Traffic;
  readonly diagnostics: readonly Diagnostic[];
  /** What was read, in sentences. */
  readonly notes: readonly string[];
}

/** Reads flow logs and finds the workloads behind their addresses and names. */
export async function loadFlows({ flows = [], format }: FlowFlags, network: Network): Promise<FlowInput> {
  const traffic = new Traffic(network);
  const log = new FlowLog(traffic, format);
  const unreadable = await readLogLines(flows, log);
  return { traffic, diagnostics: [...unreadable, ...log.diagnostics], notes: notesOf(traffic, log) };
}

/** Unknown sides that are named. */
const namedSides = 3;

function notesOf({ observed, unresolved, lookups }: Traffic, log: FlowLog): readonly string[] {
  const skipped = [...log.skipped].map(([reason, n]) => `${n} ${reason}`).join(", ");
  const read = `${log.flows} flows between ${observed.length} pairs of endpoints and port (${log.formats.join(", ") || "no format"})`;
  const notes = [`${read}${skipped === "" ? "" : `; left out: ${skipped}`}.`];
  if (lookups.length > 0) notes.push(`${log.lookups} names were looked up; the addresses behind them are not in such a log.`);
  if (unresolved.size > 0) {
    const sides = [...unresolved].sort(([, a], [, b]) => b - a).map(([name, n]) => `${name} (${count(n, "flow")})`);
    const more = sides.length > namedSides ? ` and ${sides.length - namedSides} more` : "";
    notes.push(
      `No object stands for ${sides.slice(0, namedSides).join(", ")}${more}: load the cluster, or the manifests of what is missing.`,
    );
  }
  return notes;
}
