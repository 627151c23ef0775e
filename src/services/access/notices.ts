import { hash } from "node:crypto";
import { describeAsk, describeDuration } from "../../access/describe-ask.ts";
import type { Person } from "../../access/person.ts";
import type { AccessRequest } from "../../access/request.ts";
import { type Notice, type NoticeEvent, plainLine } from "../../adapters/notify/notice.ts";
import type { NoticeTarget } from "../../adapters/notify/targets.ts";
import type { Instant } from "../../core/host.ts";

interface Happened {
  readonly event: NoticeEvent;
  readonly at: Instant;
}

const hour = 3_600_000;

/** All that a request's state says to have happened so far: the same however often and wherever it is asked. */
export function happenedTo(request: AccessRequest, now: Instant): readonly Happened[] {
  const { phase, opened, slots, grant, ended, reviewed } = request;
  const happened: Happened[] = [];
  if (request.breakGlass) happened.push({ event: "break-glass", at: opened });
  if (slots.length > 0) happened.push({ event: "opened", at: opened });
  if (grant !== undefined) happened.push({ event: "approved", at: grant.from });
  if (grant !== undefined && phase === "granted" && request.ask.type !== "action") {
    const { from, until } = grant;
    const notice = Math.min((until - from) / 5, request.ask.type === "exception" ? 24 * hour : hour / 6);
    if (now >= until - notice && now < until) happened.push({ event: "expiring", at: until - notice });
  }
  if (phase === "denied" || phase === "cancelled" || phase === "lapsed") {
    const said = request.approvals.findLast(({ verdict }) => verdict === "deny")?.at;
    happened.push({ event: phase, at: ended?.at ?? said ?? request.seen });
  }
  if (phase === "ended") happened.push({ event: "ended", at: ended?.at ?? request.seen });
  if (reviewed !== undefined) happened.push({ event: "reviewed", at: reviewed.at });
  return happened;
}

/** Whether a target hears of an event of this request. */
export function concerns(target: NoticeTarget, event: NoticeEvent, request: AccessRequest): boolean {
  if (!target.events.has(event)) return false;
  if (target.needsAddress && addressesFor(target, request).length === 0) return false;
  // Nobody waits for approvers of break-glass: it is told to whoever is paged.
  if (target.groups === undefined || event === "break-glass") return true;
  const groups = request.slots.flatMap(({ approvers }) => approvers.groups);
  return target.groups.some((group) => groups.includes(group));
}

function addressesFor(target: NoticeTarget, { requester }: AccessRequest): readonly string[] {
  return target.audience.has("requester") && requester.email !== undefined ? [requester.email] : [];
}

const nameOf = ({ displayName, user }: Person): string =>
  plainLine(displayName === undefined ? user : `${displayName} (${user})`, 120);

const headlines: { readonly [event in NoticeEvent]: (who: string, what: string) => string } = {
  opened: (who, what) => `${who} asks to ${what}`,
  "break-glass": (who, what) => `BREAK-GLASS: ${who} took access: ${what}`,
  approved: (who, what) => `Approved for ${who}: ${what}`,
  denied: (who, what) => `Denied to ${who}: ${what}`,
  cancelled: (who, what) => `${who} no longer asks to ${what}`,
  lapsed: (who, what) => `Nobody decided in time for ${who}: ${what}`,
  expiring: (who, what) => `Access of ${who} ends soon: ${what}`,
  ended: (who, what) => `Access of ${who} has ended: ${what}`,
  reviewed: (who, what) => `Break-glass access of ${who} was looked at: ${what}`,
};

/** What is said of an event; never anything of the objects it is about. */
export function noticeOf(request: AccessRequest, { event, at }: Happened, target: NoticeTarget, consoleUrl: string): Notice {
  const { id, cluster, requester, rule, phase, breakGlass } = request;
  const what = describeAsk(request.ask, rule.name);
  const said = headlines[event](nameOf(requester), request.ask.type === "session" && event === "opened" ? `have ${what}` : what);
  const facts = [
    ["Request", id],
    ["Cluster", cluster],
    ["Reason", request.reason],
    ["Rule", rule.name],
    ["Guardrails", request.guardrails.join(", ")],
    ...progress(request, event),
  ] as const;
  return {
    id: `msg_${hash("sha256", [id, event, target.name].join("\n")).slice(0, 40)}`,
    event,
    at,
    headline: plainLine(said, 200),
    facts: facts.map(([label, value]) => ({ label, value: plainLine(value, 500) })).filter(({ value }) => value !== ""),
    link: `${consoleUrl}/access/requests/${encodeURIComponent(id)}`,
    wantsDecision: event === "opened" && phase === "pending" && target.audience.has("approvers"),
    request: { id, cluster, phase, rule: rule.name, requester: requester.user, breakGlass },
    to: addressesFor(target, request),
  };
}

function progress(request: AccessRequest, event: NoticeEvent): readonly (readonly [string, string])[] {
  const { slots, approvals, grant, ended, reviewed, pendingUntil, grantMilliseconds } = request;
  const time = (at: Instant) => new Date(at).toISOString();
  const decided = approvals.map(({ by, verdict, comment, channel }) => {
    const who = channel === "rule" ? "the rule itself" : nameOf(by);
    return `${verdict === "approve" ? "approved" : "denied"} by ${who}${comment === "" ? "" : `: ${comment}`}`;
  });
  switch (event) {
    case "opened":
      return [
        ["Needs", slots.map(({ name, count }) => (count === 1 ? name : `${count} of ${name}`)).join(", ")],
        ["For", describeDuration(grantMilliseconds)],
        ["Decide before", time(pendingUntil)],
      ];
    case "break-glass":
    case "approved":
    case "expiring":
      return [
        ["Decided", decided.join("; ")],
        ["Until", grant === undefined ? "" : time(grant.until)],
      ];
    case "reviewed":
      return [["Looked at by", reviewed === undefined ? "" : `${nameOf(reviewed.by)}: ${reviewed.comment}`]];
    case "denied":
    case "cancelled":
    case "lapsed":
    case "ended":
      return [
        ["Decided", decided.join("; ")],
        ["Why it ended", ended === undefined ? "" : ended.by === undefined ? ended.why : `${ended.why} (${nameOf(ended.by)})`],
      ];
  }
}
