import { describeAsk, describeDuration } from "../access/describe-ask.ts";
import type { JsonValue } from "../core/json.ts";
import { styleFor, writeYaml } from "../report/index.ts";
import type { RequestView } from "../services/access/request-view.ts";
import type { AccessRisk } from "../services/access/risk.ts";
import type { SimilarDecision } from "../services/access/similar.ts";
import { type Io, wantsColor } from "./io.ts";
import { columns } from "./rbac-table.ts";

/** What the server answers about one request. */
export interface RequestDetail extends RequestView {
  readonly changes?: readonly { readonly op: string; readonly path: string; readonly value?: unknown }[];
  readonly similar?: readonly SimilarDecision[];
  readonly risk?: AccessRisk | undefined;
}

/** What others wrote, without what would move a terminal's cursor or turn its direction of writing. */
const safe = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, " ");

function requestLine(request: RequestView): readonly string[] {
  const { id, phase, requester, ask, rule, breakGlass, opened } = request;
  const state = breakGlass ? `${phase}, break-glass` : phase;
  return [id, state, requester.user, new Date(opened).toISOString().slice(0, 16), describeAsk(ask, rule.name)].map(safe);
}

export function requestsText(requests: readonly RequestView[], io: Io): string {
  if (requests.length === 0) return "There are no such requests.\n";
  return columns(["ID", "STATE", "WHO", "OPENED", "WHAT"], requests.map(requestLine), io);
}

/** All that helps to decide on a request, or to know how it stands. */
export function requestText(request: RequestDetail, io: Io, now: number): string {
  const { bold, dim } = styleFor(wantsColor(io));
  const { ask, grant, slots, approvals, ended, reviewers = [], reviewed, changes = [], similar = [], risk } = request;
  const lines = [
    bold(safe(`${request.requester.user}: ${describeAsk(ask, request.rule.name)}`)),
    field("Request", request.id),
    field("State", stateText(request, now)),
    field("Cluster", request.cluster),
    field("Reason", request.reason),
    field("Rule", request.rule.name),
    field("Guardrails", request.guardrails.join(", ")),
    ...(ask.type === "action" ? [field("Call", `${ask.action.http.method} ${ask.action.http.target}`)] : []),
    ...slots.map((slot) => field("Needs", `${slot.count} of ${slot.name}${approversText(slot.approvers)}`)),
    ...approvals.map(({ by, verdict, comment, channel }) =>
      field(
        verdict === "approve" ? "Approved" : "Denied",
        `by ${channel === "rule" ? "the rule itself" : `${by.user} (${channel})`}${comment === "" ? "" : `: ${comment}`}`,
      ),
    ),
    ...(grant === undefined ? [] : [field("Grant", `until ${new Date(grant.until).toISOString()}, ${grant.use}`)]),
    ...(reviewed === undefined
      ? reviewers.map((slot) => field("To review", `by ${slot.name}${approversText(slot.approvers)}`))
      : [field("Reviewed", `by ${reviewed.by.user}: ${reviewed.comment}`)]),
    ...(ended === undefined ? [] : [field("Ended", `${ended.why}${ended.by === undefined ? "" : ` by ${ended.by.user}`}`)]),
  ].filter((line) => line !== "");
  if (risk !== undefined)
    lines.push("", bold(`Risk of these rights: ${risk.score} of 100`), ...risk.reasons.map((r) => `  ${safe(r)}`));
  if (changes.length > 0) {
    lines.push("", bold("What changes"));
    lines.push(
      ...changes.map(({ op, path, value }) => safe(`  ${op} ${path}${value === undefined ? "" : ` ${JSON.stringify(value)}`}`)),
    );
  }
  const sent = ask.type === "action" ? ask.preview?.sent : undefined;
  if (ask.type === "action" && ask.preview?.unread === true)
    lines.push("", bold("What is sent cannot be read: it is binary, compressed, or says something twice."));
  if (sent !== undefined) lines.push("", bold("What is sent"), ...sentLines(sent));
  if (similar.length > 0) {
    lines.push("", bold("Decided before"));
    for (const one of similar)
      lines.push(
        safe(`  ${one.phase} ${one.id} of ${one.user}: ${one.reason}`),
        dim(safe(`    ${one.alike.join(", ")}; by ${one.decidedBy.join(", ") || "nobody"}`)),
      );
  }
  return lines.map((line) => `${line}\n`).join("");
}

const mostLines = 60;

function sentLines(sent: JsonValue): readonly string[] {
  const all = writeYaml(sent).trimEnd().split("\n");
  const more = all.length > mostLines ? [`  and ${all.length - mostLines} more lines: -o json shows all`] : [];
  return [...all.slice(0, mostLines).map((line) => `  ${safe(line)}`), ...more];
}

const field = (label: string, value: string): string => (value === "" ? "" : `  ${`${label}:`.padEnd(12)}${safe(value)}`);

function approversText({ groups, humans }: RequestView["slots"][number]["approvers"]): string {
  const all = [...groups, ...humans];
  if (all.length === 0) return ", which is nobody";
  return ` (${all.slice(0, 5).join(", ")}${all.length > 5 ? ", ..." : ""})`;
}

function stateText({ phase, pendingUntil, grant, breakGlass }: RequestView, now: number): string {
  const glass = breakGlass ? ", break-glass" : "";
  if (phase === "pending") return `pending, for ${describeDuration(Math.max(0, pendingUntil - now))} more${glass}`;
  if (phase === "granted" && grant !== undefined)
    return `granted, for ${describeDuration(Math.max(0, grant.until - now))} more${glass}`;
  return `${phase}${glass}`;
}
