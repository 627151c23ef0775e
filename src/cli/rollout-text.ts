import { count } from "../report/text.ts";
import type { PlanStep } from "../services/rollout/plan.ts";
import type { Preview, Stopped } from "../services/rollout/preview.ts";
import { type StoppedBy, summarise } from "../services/rollout/summary.ts";
import type { Io } from "./io.ts";
import { columns } from "./rbac-table.ts";

const shown = 30;
const header = ["TEAM", "NAMESPACE", "USER", "WHAT", "POLICY/RULE", "FROM", "TIMES", "WHY"];
const from = { objects: "there now", history: "asked for", recorded: "recorded" } as const;

/** A preview for people: whom it stops, then by team, namespace and user. */
export function previewText(preview: Preview, io: Io): string {
  const { judged, stopped, undecided, notReplayed, excepted } = preview;
  const tried = [
    count(judged.objects, "object"),
    count(judged.requests, "recorded request"),
    ...(judged.recorded > 0 ? [count(judged.recorded, "recorded failure")] : []),
  ].join(", ");
  const lines = [`Tried on ${tried}.`];
  if (notReplayed > 0)
    lines.push(
      `${notReplayed} recorded requests could not be tried: the ledger has no object of them (audit level RequestResponse has).`,
    );
  if (excepted > 0) lines.push(`${excepted} failures are lifted by exceptions.`);
  if (stopped.length > 0)
    lines.push("", `It would stop ${stopped.length}:`, table(stopped, io).trimEnd(), "", ...byWhom(stopped));
  if (undecided.length > 0) lines.push("", `${undecided.length} could not be judged:`, table(undecided, io).trimEnd());
  if (stopped.length + undecided.length === 0) lines.push("It would stop nobody.");
  return `${lines.join("\n")}\n`;
}

function table(stopped: readonly Stopped[], io: Io): string {
  const rows = stopped
    .slice(0, shown)
    .map((one) => [
      one.team || "-",
      one.namespace || "-",
      one.user || "-",
      `${one.kind} ${one.name}`,
      `${one.policy.split("/").at(-1)}/${one.rule}`,
      from[one.source],
      String(one.times),
      one.message.split("\n")[0] ?? "",
    ]);
  const more = stopped.length > shown ? `and ${stopped.length - shown} more\n` : "";
  // What says nothing, as users of what is there, takes the room of what does.
  const says = header.map((title, i) => rows.some((row) => row[i] !== (title === "TIMES" ? "1" : "-")));
  const kept = (cells: readonly string[]) => cells.filter((_, i) => says[i]);
  return columns(kept(header), rows.map(kept), io) + more;
}

function byWhom(stopped: readonly Stopped[]): readonly string[] {
  const { teams, namespaces, users } = summarise(stopped);
  const line = (title: string, list: readonly StoppedBy[]) =>
    list.length === 0
      ? []
      : [
          `By ${title}: ${list
            .slice(0, shown)
            .map(({ name, objects }) => `${name} ${objects}`)
            .join(", ")}.`,
        ];
  return [...line("team", teams), ...line("namespace", namespaces), ...line("user", users)];
}

const advice = { enforce: "enforce", warn: "warn, then enforce", repair: "repair first", done: "-" } as const;

export function planText(steps: readonly PlanStep[], io: Io): string {
  if (steps.length === 0) return "no policy that could refuse anything\n";
  const rows = steps.map((step, i) => [
    String(i + 1),
    step.policy.split("/").at(-1) ?? "",
    step.severity,
    step.mode,
    advice[step.next],
    String(step.covered),
    String(step.stopped),
    step.undecided === 0 ? "-" : String(step.undecided),
    [...new Set([...step.teams, ...step.namespaces])].slice(0, 6).join(", ") || "-",
    step.users.slice(0, 6).join(", ") || "-",
  ]);
  return columns(
    ["#", "POLICY", "SEVERITY", "NOW", "NEXT", "APPLIES TO", "STOPS", "UNDECIDED", "TEAMS, NAMESPACES", "USERS"],
    rows,
    io,
  );
}
