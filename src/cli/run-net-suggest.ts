import type { CniProfile, NetworkDifference } from "../analysis/network/model.ts";
import type { AllowEvidence, PolicyPlan } from "../analysis/network/suggest/allow.ts";
import type { PolicyTarget } from "../analysis/network/suggest/write-policies.ts";
import { describeEndpoints, totals } from "../analysis/network/view/difference.ts";
import { styleFor, writeYaml } from "../report/index.ts";
import { textTable } from "../report/network-table.ts";
import { count } from "../report/text.ts";
import { list } from "../services/network-endpoint.ts";
import {
  type ProvenFlowSuggestion,
  type ProvenIntentSuggestion,
  proveFlowSuggestion,
  proveIntentSuggestion,
  type SuggestionBase,
} from "../services/network-suggest.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { type FlowFlags, loadFlows } from "./flow-input.ts";
import { wantsColor } from "./io.ts";
import { loadComponents, loadNetwork, type NetFlags } from "./net-input.ts";
import { differenceTable } from "./run-net-change.ts";
import { deniedTable, replayData, replayNotes, requireOneInput } from "./run-net-replay.ts";
import { finish } from "./run-policy.ts";

export interface SuggestFlags extends NetFlags, FlowFlags {
  readonly intent?: boolean;
  readonly target: PolicyTarget;
  readonly in?: readonly string[];
  readonly catalogue?: readonly string[];
  readonly defaultDeny?: boolean;
  readonly holdOut: number;
  readonly step?: number;
  readonly output: "table" | "json" | "yaml";
}

export async function runSuggest(flags: SuggestFlags, context: CommandContext): Promise<void> {
  if ((flags.intent === true) === (flags.flows !== undefined)) throw new UsageError("name either --flows or --intent");
  requireOneInput([...(flags.flows ?? []), ...(flags.file ?? [])]);
  const catalogue = await loadComponents(flags.catalogue ?? []);
  const input = await loadNetwork({ ...flags, cni: cniOf(flags) }, context);
  const base = { network: input.network, documents: input.documents, options: input.options, catalogue, target: flags.target };
  if (input.network.workloads.length === 0)
    throw new UsageError("no object holds pods, so there is nobody to propose policies for");
  const missing = flags.in?.find((namespace) => !input.network.namespaces.has(namespace));
  if (missing !== undefined) {
    throw new UsageError(`there is no namespace ${missing}; there are ${list([...input.network.namespaces.keys()].sort(), 20)}`);
  }
  if (flags.intent === true) {
    suggestIntent(base, flags, context);
    finish(input.diagnostics, context);
    return;
  }
  const flows = await loadFlows(flags, input.network);
  const proven = proveFlowSuggestion(base, flows.traffic, {
    defaultDeny: flags.defaultDeny === true,
    holdOut: flags.holdOut,
    namespaces: flags.in,
  });
  writeFlowSuggestion(proven, flows.notes, flags, context);
  finish([...input.diagnostics, ...flows.diagnostics], context);
}

/** Who asks for policies of one data plane has it: both states are judged as it does. */
function cniOf({ cni = "unknown", target }: SuggestFlags): CniProfile {
  return cni === "unknown" && (target === "cilium" || target === "calico") ? target : cni;
}

function suggestIntent(base: SuggestionBase, flags: SuggestFlags, context: CommandContext): void {
  const proven = proveIntentSuggestion(base, { namespaces: flags.in, upTo: flags.step });
  if (proven.steps.length === 0) {
    throw new UsageError(
      "the catalogue knows none of these workloads: name namespaces with --in, or components with --catalogue",
    );
  }
  if (flags.output === "yaml") context.io.out(intentYaml(proven));
  else if (flags.output === "json") context.io.out(`${JSON.stringify(intentData(proven), null, 2)}\n`);
  else context.io.out(intentText(proven, base, context));
  if (proven.purpose.broken.length > 0) context.exit(exitCodes.findings);
}

/** The objects as they stand after the last step, in the order of the steps that made them first. */
function intentYaml({ steps, written, notes }: ProvenIntentSuggestion): string {
  const comments = [...written.notes, ...notes].map((note) => `# ${note}\n`).join("");
  const order = steps.map(({ title }, i) => `# Step ${i + 1}: ${title}\n`).join("");
  return `${order}${comments}${written.objects.map(writeYaml).join("---\n")}`;
}

function intentText(proven: ProvenIntentSuggestion, { network }: SuggestionBase, { io }: CommandContext): string {
  const { bold, dim } = styleFor(wantsColor(io));
  const known = proven.recognised.filter(({ workload }) => proven.namespaces.includes(workload.namespace));
  const parts = known.map(({ workload, match }) => [workload.id, match.component.title, match.why]);
  const lines = [
    textTable({ columns: ["WORKLOAD", "IS", "BY"], rows: parts }, wantsColor(io)),
    ...proven.steps.map((step, i) => {
      const head = bold(`Step ${i + 1}: ${step.title}`) + dim(`, ${step.about}`);
      const objects = step.written.objects.map((o) => `${o.metadata?.namespace ?? ""}/${o.metadata?.name ?? ""}`);
      const none = { columns: [], rows: [] };
      const table = step.difference === undefined ? none : differenceTable(step.difference, step.after, shownChanges);
      const shown = { ...table, rows: table.rows.slice(0, shownChanges) };
      const more = table.rows.length > shownChanges ? `  and ${table.rows.length - shownChanges} more\n` : "";
      const change =
        step.difference === undefined
          ? ""
          : table.rows.length === 0
            ? "  No connection changes.\n"
            : `${indent(textTable(shown, false))}${more}`;
      return `${head}\n  ${count(objects.length, "policy", "policies")}: ${shorten(objects)}\n  ${changed(step.difference)}
${change}`;
    }),
  ];
  const { pairs, broken } = proven.purpose;
  const isolated =
    proven.unknown.length === 0
      ? []
      : [`Not in the catalogue, so only names and what policies say are open: ${describeEndpoints(proven.unknown, network)}.`];
  const notes = [
    `${count(proven.written.objects.length, "policy", "policies")} in ${proven.namespaces.join(", ")}. All steps together: ${changed(proven.difference)} -o yaml prints the objects.`,
    ...(pairs === 0
      ? []
      : [`Existing policies let callers in that they name: ${pairs - broken.length} of ${pairs} such pairs keep all of it.`]),
    ...broken.map((text) => `  broken: ${text}`),
    ...isolated,
    ...proven.notes,
    ...proven.written.notes,
  ];
  return `${lines.join("\n")}\n${notes.map((note) => `${note}\n`).join("")}`;
}

const shownChanges = 12;

function counted(difference: NetworkDifference | undefined): { readonly gained: number | null; readonly lost: number | null } {
  return difference === undefined ? { gained: null, lost: null } : totals(difference);
}

function changed(difference: NetworkDifference | undefined): string {
  if (difference === undefined) return "too many pairs to compare: choose namespaces with --in.";
  const { gained, lost } = totals(difference);
  return `${lost} pairs lose connections, ${gained} gain some.`;
}

function shorten(names: readonly string[]): string {
  return names.length <= 6 ? names.join(", ") : `${names.slice(0, 6).join(", ")} and ${names.length - 6} more`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

function intentData(proven: ProvenIntentSuggestion): object {
  const { steps, namespaces, recognised, unknown, written, notes, purpose, difference } = proven;
  return {
    namespaces,
    components: recognised.map(({ workload, match }) => ({
      workload: workload.id,
      component: match.component.name,
      by: match.why,
    })),
    unknown: unknown.map((w) => w.id),
    steps: steps.map((step) => ({
      step: step.step,
      title: step.title,
      ...counted(step.difference),
      objects: step.written.objects,
    })),
    objects: written.objects,
    ...counted(difference),
    purpose,
    notes: [...notes, ...written.notes],
  };
}

function writeFlowSuggestion(
  proven: ProvenFlowSuggestion,
  read: readonly string[],
  { output }: SuggestFlags,
  context: CommandContext,
): void {
  const { io } = context;
  if (output === "yaml") {
    const comments = [...proven.notes, ...proven.written.notes].map((note) => `# ${note}\n`).join("");
    io.out(`${comments}${proven.written.objects.map(writeYaml).join("---\n")}`);
  } else if (output === "json") io.out(`${JSON.stringify(flowData(proven, read), null, 2)}\n`);
  else io.out(flowText(proven, read, context));
}

function flowText(proven: ProvenFlowSuggestion, read: readonly string[], { io }: CommandContext): string {
  const color = wantsColor(io);
  const { bold } = styleFor(color);
  const rows = proven.plans.flatMap(planRows);
  const lines = [textTable({ columns: ["POLICY", "", "PEER", "PORTS", "CONFIDENCE"], rows }, color)];
  const { heldOut, replay, unseen } = proven;
  if (heldOut !== undefined) {
    const { deniedFlows, flows, denied } = heldOut.replay;
    lines.push(bold("Held out: what the time before suggests, tried on the last part\n"));
    lines.push(
      denied.length === 0
        ? `${heldOut.replay.connections} pairs of endpoints and port, none would be denied; ${heldOut.fresh} were first seen then.\n`
        : `${count(denied.length, "pair")} of endpoints and port would be denied (${deniedFlows} of ${flows} flows): look further before you enforce.\n${textTable(deniedTable(heldOut.replay, proven.after), color)}`,
    );
  }
  const notes = [
    ...read,
    `All of the log on the proposal: ${replayNotes(replay).join(" ")}`,
    ...(replay.denied.length === 0 ? [] : [textTable(deniedTable(replay, proven.after), color)]),
    `${count(proven.written.objects.length, "policy", "policies")}; ${changed(proven.difference)} -o yaml prints the objects.`,
    ...(unseen.length === 0 ? [] : [`Without a flow, and not isolated: ${describeEndpoints(unseen, proven.after)}.`]),
    ...proven.notes,
    ...proven.written.notes,
  ];
  return `${lines.join("\n")}\n${notes.map((note) => `${note}\n`).join("")}`;
}

function planRows(plan: PolicyPlan): readonly (readonly string[])[] {
  const name = `${plan.namespace}/${plan.name}`;
  if (plan.allows.length === 0) return [[name, plan.isolates.join(", "), "nothing", "", ""]];
  return plan.allows.map(({ direction, peer, ports, evidence }, i) => [
    i === 0 ? name : "",
    direction === "ingress" ? "from" : "to",
    peerText(peer),
    ports === undefined ? "all" : ports.map((p) => `${p.protocol} ${p.from === p.to ? p.from : `${p.from}-${p.to}`}`).join(", "),
    evidence === undefined ? "always" : evidenceText(evidence),
  ]);
}

function evidenceText({ confidence, flows, flags }: AllowEvidence): string {
  return `${confidence}: ${count(flows, "flow")}${flags.length === 0 ? "" : `, ${flags.join(", ")}`}`;
}

function peerText(peer: PolicyPlan["allows"][number]["peer"]): string {
  const text = (labels: { readonly [key: string]: string }) =>
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(",") || "all pods";
  switch (peer.kind) {
    case "pods":
      return `${peer.namespace}: ${text(peer.labels)}`;
    case "namespaces":
      return `namespaces ${text(peer.namespaceLabels)}: ${text(peer.labels)}`;
    case "cidrs":
      return peer.blocks.join(", ");
    case "domains":
      return peer.names.join(", ");
    case "apiserver":
      return "the API server";
    case "node":
      return "nodes";
    case "world":
      return "the internet";
  }
}

function flowData(proven: ProvenFlowSuggestion, read: readonly string[]): object {
  const { written, notes, unseen, replay, heldOut, difference, after, plans } = proven;
  return {
    objects: written.objects,
    plans,
    unseen: unseen.map((w) => w.id),
    replay: replayData(replay, after),
    heldOut: heldOut === undefined ? null : { fresh: heldOut.fresh, ...replayData(heldOut.replay, after) },
    ...counted(difference),
    notes: [...read, ...notes, ...written.notes],
  };
}
