import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Person } from "../person.ts";
import type { AccessRequest, ApprovalSlot, Ask } from "../request.ts";
import { mayFill } from "../rules/may-fill.ts";
import { isLive } from "./grant.ts";
import { type Opening, open } from "./open.ts";
import { actionAsk, opening, person, slot } from "./people.testing.ts";
import { sameHuman } from "./same-human.ts";
import { step } from "./step.ts";
import type { AccessEvent, Command, Step } from "./step-types.ts";

const runs = 100_000;

const isOver = (request: AccessRequest) => request.phase !== "pending" && request.phase !== "granted";
const approvers = (request: AccessRequest) =>
  request.approvals.filter((one) => one.verdict === "approve" && one.channel !== "rule").map((one) => one.by);

const digest = "d".repeat(64);
const requester = person("ada", ["dev", "a"], { email: "ada@example.org" });

/** The requester under three names, people of two groups, one of them twice, somebody without groups, a program. */
const people: readonly Person[] = [
  requester,
  person("ada2", ["a", "b"], { human: "ada" }),
  person("ada3", ["a", "b"], { email: "ADA@example.org" }),
  person("p", ["a"]),
  person("q", ["a", "b"]),
  person("q2", ["b"], { human: "q" }),
  person("r", ["b"]),
  person("s"),
  person("robot", ["a", "b"], { isProgram: true }),
];

const slots = fc.array(
  fc
    .tuple(fc.subarray(["a", "b", "c"]), fc.subarray(["p", "q", "r", "ada", "s"]), fc.integer({ min: 0, max: 3 }))
    .map(([groups, humans, count]) => slot([...groups, ...humans].join("+"), { groups, humans }, count)),
  { maxLength: 3 },
);

const asks: readonly Ask[] = [
  actionAsk,
  { type: "session", namespace: "ml", milliseconds: 40, mode: "gateway" },
  {
    type: "exception",
    policy: "p",
    rules: [],
    object: { apiVersion: "v1", kind: "Pod", namespace: "ml", name: "p" },
    until: 120,
  },
];

const openings: fc.Arbitrary<Opening> = fc
  .record({ slots, ask: fc.constantFrom(actionAsk, ...asks), auto: fc.integer({ max: 5, min: 0 }), breakGlass: fc.boolean() })
  .map(({ auto, ...rest }) =>
    opening({
      ...rest,
      requester,
      pendingMilliseconds: 60,
      grantMilliseconds: 60,
      approvedBecause: auto === 0 ? "rule" : undefined,
    }),
  );

/** A command and by how much the clock moves before it; negative: it was set back. */
interface Move {
  readonly command: (request: AccessRequest) => Command;
  readonly by: number;
}

const who = fc.constantFrom(...people);
const reviewers = [slot("group:b", { groups: ["b"] })];
const oncall = fc.constantFrom(...people.filter((one) => !sameHuman(one, requester) && !one.isProgram));

const commands: fc.Arbitrary<Move["command"]> = fc.oneof(
  { weight: 6, arbitrary: oncall.map((by) => decided("approve", by)) },
  { weight: 2, arbitrary: who.map((by) => decided("approve", by)) },
  { weight: 1, arbitrary: who.map((by) => decided("deny", by)) },
  { weight: 1, arbitrary: who.map((by) => () => ({ type: "cancel", by }) as const) },
  { weight: 1, arbitrary: fc.option(who, { nil: undefined }).map((by) => () => ({ type: "revoke", by, why: "x" }) as const) },
  { weight: 1, arbitrary: who.map((by) => () => ({ type: "review", by, comment: "", reviewers }) as const) },
  { weight: 1, arbitrary: fc.constant(() => ({ type: "elapse" }) as const) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(requester, requester, requester, ...people), fc.constantFrom(digest, digest, digest, "other"))
      .map(
        ([by, of]) =>
          () =>
            ({ type: "consume", by, digest: of }) as const,
      ),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom("sent", "sent", "sent", "done", "unknown", "returned"), fc.constantFrom(0, 0, 0, -1, 1))
      .map(([type, off]) => (request: AccessRequest): Command => {
        const attempt = (request.grant?.attempts ?? 0) + off;
        if (type === "sent") return { type, attempt };
        return type === "done" ? { type, attempt, status: 200 } : { type, attempt, why: "x" };
      }),
  },
);

function decided(type: "approve" | "deny", by: Person): Move["command"] {
  return (request) => ({ type, by, comment: "", channel: "cli", slots: request.slots });
}

const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.record({
    command: commands,
    by: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: 0, max: 6 }) },
      { weight: 1, arbitrary: fc.integer({ min: -200, max: 0 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 100 }) },
    ),
  }),
  { minLength: 1, maxLength: 20 },
);

/** Whether people fill slots, by trying every way: what the machine's matching must agree with. */
function canFill(wanted: readonly ApprovalSlot[], by: readonly Person[]): boolean {
  const places = wanted.flatMap((one) => Array.from({ length: Math.max(1, one.count) }, () => one));
  const fill = (rest: readonly ApprovalSlot[], left: readonly Person[]): boolean => {
    const [place, ...others] = rest;
    if (place === undefined) return true;
    return left.some(
      (one) =>
        mayFill(place.approvers, one) &&
        fill(
          others,
          left.filter((other) => other !== one),
        ),
    );
  };
  return places.length > 0 && fill(places, by);
}

/** What the events of a request tell of it: the same as the request says of itself, if nothing was lost. */
function storyOf(events: readonly AccessEvent[]) {
  let phase = "none";
  let use: string | undefined;
  let sent = 0;
  const approvals: string[] = [];
  for (const event of events) {
    if (event.type === "requested") phase = "pending";
    if (event.type === "decided") {
      approvals.push(`${event.approval.verdict} ${event.approval.by.user}`);
      if (event.approval.verdict === "deny") phase = "denied";
    }
    if (event.type === "granted") [phase, use] = ["granted", "live"];
    if (event.type === "used") use = event.use === "returned" ? "live" : event.use;
    if (event.type === "used" && event.use === "sent") sent++;
    if (event.type === "ended") phase = event.how === "lapsed" || event.how === "cancelled" ? event.how : "ended";
  }
  return { phase, use, sent, approvals };
}

/** As an assertion, a hundred times faster: it is asked millions of times. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken: ${what}`);
}

/** What must hold of one step, whatever came before. */
function checkStep(before: AccessRequest, command: Command, { request, events }: Step, at: number): void {
  const time = Math.max(before.seen, at);
  if (events.length === 0) must(request === before, "without an event nothing changes");
  else must(request.revision === before.revision + 1 && request.seen === time, "each change is counted and timed");
  if (isOver(before)) must(request.phase === before.phase, "what is over stays as it ended");
  for (const event of events) {
    if (event.type === "used" && event.use === "consumed") {
      must(isLive(before, time), "only a live grant is consumed");
      const same = command.type === "consume" && command.digest === digest && command.by === requester;
      must(same && before.ask.type === "action", "only what was approved is done, by who asked");
    }
    if (event.type === "used" && event.use === "sent") must(time < (before.grant?.until ?? 0), "nothing is sent after the end");
    if (event.type === "decided") {
      must(before.phase === "pending" && time < before.pendingUntil, "no late decision");
      must(!sameHuman(event.approval.by, requester) && !event.approval.by.isProgram, "no self-approval, no program");
    }
    if (event.type === "reviewed") {
      must(
        before.breakGlass && before.grant !== undefined && before.reviewed === undefined,
        "only break-glass is reviewed, once",
      );
      const { by } = event;
      must(
        !sameHuman(by, requester) && !by.isProgram && by.groups.includes("b"),
        "only those who are named review, never oneself",
      );
    }
    if (event.type === "granted") {
      const { from, until } = event.grant;
      must(
        from === time && until - from <= before.grantMilliseconds,
        "a grant counts from its approval, no longer than the rule",
      );
    }
  }
  if (events.length > 0 && request.phase === "pending") must(time < request.pendingUntil, "nothing waits past its end");
  if (events.length > 0 && request.phase === "granted") must(time < (request.grant?.until ?? 0), "no grant outlives its end");
}

function checkWhole(request: AccessRequest, events: readonly AccessEvent[], auto: boolean): void {
  const story = storyOf(events);
  must(story.phase === request.phase && story.use === request.grant?.use, "the events tell what became of it");
  const approvals = request.approvals.map((one) => `${one.verdict} ${one.by.user}`);
  must(story.approvals.join() === approvals.join(), "the events tell who decided");
  must(story.sent <= 1, "nothing is sent twice");
  const by = approvers(request);
  by.forEach((one, i) => {
    must(!by.slice(i + 1).some((other) => sameHuman(one, other)), "nobody counts twice");
  });
  const denied = request.approvals.some((one) => one.verdict === "deny");
  must(denied === (request.phase === "denied"), "one denial denies");
  if (!auto)
    must((request.grant !== undefined) === (!denied && canFill(request.slots, by)), "granted when, and only when, filled");
}

describe("any order of commands, at any times", () => {
  test(`${runs} interleavings keep the rules`, () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(openings, moves, (opening, sequence) => {
        const opened = open(opening, 0);
        if (!opened.ok) throw new Error(opened.refused.message);
        let { request } = opened;
        const events = [...opened.events];
        let at = 0;
        for (const move of sequence) {
          at += move.by;
          const before = request;
          const command = move.command(before);
          const result = step(before, command, at);
          checkStep(before, command, result, at);
          request = result.request;
          events.push(...result.events);
          reached.add(`${request.phase} ${request.grant?.use ?? ""}`);
        }
        checkWhole(request, events, opening.approvedBecause !== undefined);
      }),
      { numRuns: runs },
    );
    expect([...reached].sort()).toEqual([
      "cancelled ",
      "denied ",
      "ended ",
      "ended consumed",
      "ended done",
      "ended live",
      "ended sent",
      "ended unknown",
      "granted consumed",
      "granted live",
      "granted sent",
      "lapsed ",
      "pending ",
    ]);
  });
});
