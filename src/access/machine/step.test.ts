import { describe, expect, test } from "vitest";
import type { Person } from "../person.ts";
import type { AccessRequest } from "../request.ts";
import { isLive, unreportedMilliseconds } from "./grant.ts";
import { type Opening, open } from "./open.ts";
import { action, actionAsk, opening, person, slot } from "./people.testing.ts";
import { step } from "./step.ts";
import type { Command } from "./step-types.ts";

const digest = "d".repeat(64);
const ada = opening().requester;
const bob = person("bob", ["oncall"]);
const eve = person("eve", ["oncall"]);

function opened(more: Partial<Opening> = {}, at = 0): AccessRequest {
  const result = open(opening(more), at);
  if (!result.ok) throw new Error(result.refused.message);
  return result.request;
}

const decision = (request: AccessRequest, type: "approve" | "deny", by: Person): Command => ({
  type,
  by,
  comment: "",
  channel: "cli",
  slots: request.slots,
});
const approve = (request: AccessRequest, by: Person, at = 1) => step(request, decision(request, "approve", by), at);
const consume: Command = { type: "consume", by: ada, digest };

/** The request after commands at times; the last one's step. */
function afterSteps(request: AccessRequest, ...commands: readonly (readonly [Command, number])[]) {
  let result = step(request, { type: "elapse" }, 0);
  for (const [command, at] of commands) result = step(result.request, command, at);
  return result;
}

const granted = (more: Partial<Opening> = {}) => {
  const request = opened(more);
  return approve(request, bob).request;
};

describe("who decides", () => {
  test.each<[string, Person]>([
    ["the requester", ada],
    ["another login of the same human", person("ada-admin", ["oncall"], { human: "ada" })],
    ["the same login at another name", person("ada", ["oncall"], { user: "root", human: "x" })],
    ["the same user of a second issuer", person("z", ["oncall"], { issuer: "https://other", user: ada.user })],
    ["the same address, written otherwise", person("alias", ["oncall"], { email: "Ada@Example.org " })],
  ])("T30 %s cannot approve, administrator or not", (_, by) => {
    const request = opened({ requester: { ...ada, email: "ada@example.org" } });
    const result = approve(request, { ...by, groups: ["oncall", "system:masters", "castellan-admins"] });
    expect(result).toMatchObject({ events: [], refused: { code: "ACCESS_SELF_APPROVAL" } });
    expect(result.request).toBe(request);
    expect(step(request, decision(request, "deny", by), 1).refused?.code).toBe("ACCESS_SELF_APPROVAL");
  });

  test("T30 a service account never approves", () => {
    const robot = person("robot", ["oncall"], { isProgram: true });
    expect(approve(opened(), robot).refused?.code).toBe("ACCESS_PROGRAM");
  });

  test("T31 one human in two groups fills one slot", () => {
    const slots = [slot("group:oncall", { groups: ["oncall"] }), slot("group:security", { groups: ["security"] })];
    const both = person("bob", ["oncall", "security"]);
    const first = approve(opened({ slots }), both);
    expect(first.request.phase).toBe("pending");
    const again = approve(first.request, person("bob2", ["security"], { human: "bob" }));
    expect(again).toMatchObject({ events: [], refused: { code: "ACCESS_ALREADY_APPROVED" } });
    // Bob may stand for either: whoever comes second takes the other slot.
    for (const group of ["oncall", "security"]) {
      expect(approve(first.request, person("eve", [group])).request.phase).toBe("granted");
    }
  });

  test("T32 more approvals than wanted are enough", () => {
    const slots = [slot("a", { groups: ["a"] }, 2), slot("b", { groups: ["b"] })];
    let request = opened({ slots });
    for (const name of ["p", "q", "r"]) request = approve(request, person(name, ["a"])).request;
    expect(request).toMatchObject({ phase: "pending", approvals: [{}, {}, {}] });
    expect(approve(request, person("s", ["b"])).request.phase).toBe("granted");
  });

  test.each([[[]], [[slot("nobody", {})]], [[slot("nobody", {}, 0)]]])("T33 an empty approver set is nobody: %j", (slots) => {
    const request = opened({ slots });
    expect(approve(request, bob)).toMatchObject({ request: { phase: "pending" }, refused: { code: "ACCESS_NOT_APPROVER" } });
  });

  test("T34 an approver of another rule decides nothing", () => {
    const request = opened();
    const other = person("mallory", ["approvers-of-another-rule"]);
    expect(approve(request, other).refused).toEqual({
      code: "ACCESS_NOT_APPROVER",
      message: "oidc:mallory is not an approver; approvers are: group:oncall.",
    });
  });

  test("one denial is enough, and stays", () => {
    const request = opened({ slots: [slot("group:oncall", { groups: ["oncall"] }, 2)] });
    const denied = step(approve(request, bob).request, decision(request, "deny", eve), 2);
    expect(denied.request).toMatchObject({ phase: "denied", ended: { why: "denied", by: eve } });
    expect(approve(denied.request, person("x", ["oncall"])).refused?.code).toBe("ACCESS_DECIDED");
  });

  test("who has approved may still deny", () => {
    const request = opened({ slots: [slot("group:oncall", { groups: ["oncall"] }, 2)] });
    expect(step(approve(request, bob).request, decision(request, "deny", bob), 2).request.phase).toBe("denied");
  });

  test("who was on call when approving counts after the shift", () => {
    const shift = (who: string) => [slot("on-call:ml", { humans: [who] }), slot("group:sec", { groups: ["sec"] })];
    const first = step(
      opened({ slots: shift("bob") }),
      decision({ ...opened(), slots: shift("bob") }, "approve", bob),
      1,
    ).request;
    const late = step(first, { ...decision(first, "approve", bob), slots: shift("eve") } as Command, 2);
    expect(late.refused?.code).toBe("ACCESS_NOT_APPROVER");
    const second = { type: "approve", by: person("sam", ["sec"]), comment: "", channel: "cli", slots: shift("eve") } as const;
    expect(step(first, second, 2).request.phase).toBe("granted");
  });

  test("people who share an approver are matched as well as they can be", () => {
    const slots = [slot("a", { humans: ["p", "q"] }), slot("b", { humans: ["p"] }), slot("c", { humans: ["q", "r"] })];
    let request = opened({ slots });
    for (const name of ["q", "p"]) request = approve(request, person(name)).request;
    expect(request.phase).toBe("pending");
    expect(approve(request, person("r")).request.phase).toBe("granted");
  });
});

describe("time", () => {
  test.each([59_999, 60_000, 60_001])("T39 a decision at %i of a minute", (at) => {
    const result = approve(opened(), bob, at);
    if (at < 60_000) expect(result.request.phase).toBe("granted");
    else {
      expect(result).toMatchObject({ request: { phase: "lapsed" }, refused: { code: "ACCESS_LAPSED" } });
      expect(result.events.map((event) => event.type)).toEqual(["ended"]);
    }
  });

  test("T39 setting the clock back does not undo a lapse", () => {
    const lapsed = step(opened(), { type: "elapse" }, 60_000).request;
    expect(approve(lapsed, bob, 5)).toMatchObject({ request: { phase: "lapsed" }, refused: { code: "ACCESS_LAPSED" } });
  });

  test.each<[string, Partial<Opening>, number]>([
    ["an action lives as long as the rule says", {}, 30_000 + 60_000],
    [
      "a session no longer than asked",
      { ask: { type: "session", namespace: "ml", milliseconds: 5000, mode: "gateway" } },
      35_000,
    ],
    [
      "a session no longer than the rule says",
      { ask: { type: "session", namespace: "ml", milliseconds: 9e9, mode: "gateway" } },
      90_000,
    ],
    ["an exception no longer than asked", { ask: exception(50_000) }, 50_000],
  ])("T44 from the approval: %s", (_, more, until) => {
    expect(approve(opened(more), bob, 30_000).request.grant).toMatchObject({ from: 30_000, until });
  });

  function exception(until: number): Opening["ask"] {
    const object = { apiVersion: "v1", kind: "Pod", namespace: "ml", name: "p" };
    return { type: "exception", policy: "no-privileged", rules: [], object, until };
  }

  test("an exception that is approved after its end lapsed before", () => {
    expect(approve(opened({ ask: exception(10) }), bob, 10).request.phase).toBe("lapsed");
  });

  test.each([
    [60_000, "sent"],
    [60_001, "expired"],
  ])("T44 T46 use at %i", (at, what) => {
    const request = granted();
    expect(isLive(request, at)).toBe(what === "sent");
    const result = afterSteps(request, [consume, at], [{ type: "sent", attempt: 1 }, at]);
    expect(what === "sent" ? result.request.grant?.use : result.request.ended?.why).toBe(what);
  });

  test("T46 a clock that goes back gives no time, one that goes ahead takes it", () => {
    const expired = step(granted(), { type: "elapse" }, 9e9).request;
    expect(expired.phase).toBe("ended");
    expect(step(expired, consume, 2).refused?.code).toBe("ACCESS_EXPIRED");
    const seen = afterSteps(granted(), [consume, 50_000], [{ type: "returned", attempt: 1, why: "no connection" }, 1]).request;
    expect(seen.seen).toBe(50_000);
    expect(isLive(seen, 10)).toBe(true);
    expect(isLive(seen, 60_001)).toBe(false);
  });

  test("expiry between the consumption and the first byte stops it", () => {
    const result = afterSteps(granted(), [consume, 60_000], [{ type: "sent", attempt: 1 }, 60_001]);
    expect(result).toMatchObject({ refused: { code: "ACCESS_EXPIRED" }, request: { grant: { use: "consumed" } } });
  });
});

describe("use", () => {
  test("T35 an approval is used once", () => {
    const first = step(granted(), consume, 2);
    expect(first.events).toMatchObject([{ type: "used", use: "consumed", attempt: 1 }]);
    expect(step(first.request, consume, 2)).toMatchObject({ events: [], refused: { code: "ACCESS_USED" } });
    const done = afterSteps(first.request, [{ type: "sent", attempt: 1 }, 3], [{ type: "done", attempt: 1, status: 200 }, 4]);
    expect(done.request).toMatchObject({ phase: "ended", ended: { why: "used" }, grant: { use: "done" } });
    expect(step(done.request, consume, 5).refused?.code).toBe("ACCESS_USED");
    expect(step(done.request, decision(done.request, "approve", bob), 5).refused?.code).toBe("ACCESS_DECIDED");
  });

  test("T35 what came of it is not known: it is never tried again", () => {
    const lost = afterSteps(
      granted(),
      [consume, 2],
      [{ type: "sent", attempt: 1 }, 3],
      [{ type: "unknown", attempt: 1, why: "reset" }, 4],
    );
    expect(lost.request).toMatchObject({ phase: "ended", grant: { use: "unknown" } });
    for (const command of [consume, { type: "returned", attempt: 1, why: "" }, { type: "sent", attempt: 1 }] as const) {
      expect(step(lost.request, command, 5)).toMatchObject({ events: [], refused: {} });
    }
  });

  test("what was not sent may be tried again, and only its own attempt counts", () => {
    const back = afterSteps(granted(), [consume, 2], [{ type: "returned", attempt: 1, why: "refused" }, 3]).request;
    const again = step(back, consume, 4).request;
    expect(again.grant).toMatchObject({ use: "consumed", attempts: 2 });
    for (const type of ["sent", "returned"] as const) {
      expect(step(again, { type, attempt: 1, why: "" }, 5)).toMatchObject({ events: [], refused: {} });
    }
    const sent = step(again, { type: "sent", attempt: 2 }, 5).request;
    expect(step(sent, { type: "returned", attempt: 2, why: "" }, 6)).toMatchObject({ events: [], refused: {} });
  });

  test("a call nobody reports on is one whose outcome is unknown", () => {
    const sent = afterSteps(granted(), [consume, 2], [{ type: "sent", attempt: 1 }, 3]).request;
    const ended = step(sent, { type: "elapse" }, 60_001).request;
    expect(ended).toMatchObject({ phase: "ended", ended: { why: "expired" }, grant: { use: "sent" } });
    const given = step(ended, { type: "elapse" }, 60_001 + unreportedMilliseconds).request;
    expect(given.grant?.use).toBe("unknown");
    const late = step(ended, { type: "done", attempt: 1, status: 200 }, 70_000).request;
    expect(late).toMatchObject({ ended: { why: "expired" }, grant: { use: "done" } });
  });

  test.each<[string, Command]>([
    ["T36 another body", { ...consume, digest: "e".repeat(64) } as Command],
    ["T38 another cluster, whose digest differs", { ...consume, digest: "f".repeat(64) } as Command],
  ])("%s is not what was approved", (_, command) => {
    expect(step(granted(), command, 2)).toMatchObject({ events: [], refused: { code: "ACCESS_OTHER_ACTION" } });
  });

  test.each([person("ada", [], { issuer: "https://other" }), person("ada", [], { user: "oidc:root" }), bob])(
    "another person uses nothing: %j",
    (by) => {
      expect(step(granted(), { ...consume, by } as Command, 2).refused?.code).toBe("ACCESS_NOT_REQUESTER");
    },
  );

  test("a session is not consumed", () => {
    const ask = { type: "session", namespace: "ml", milliseconds: 1000, mode: "gateway" } as const;
    expect(step(granted({ ask }), consume, 2).refused?.code).toBe("ACCESS_OTHER_ACTION");
  });
});

describe("ends", () => {
  test("T45 a revoked grant is over, before, during and after its use", () => {
    const revoke: Command = { type: "revoke", by: bob, why: "shift over" };
    const pending = step(opened(), revoke, 1);
    expect(pending.request).toMatchObject({ phase: "ended", ended: { why: "shift over", by: bob } });
    const live = step(granted(), revoke, 2).request;
    expect(step(live, consume, 3).refused?.code).toBe("ACCESS_ENDED");
    const consumed = afterSteps(granted(), [consume, 2], [revoke, 3], [{ type: "sent", attempt: 1 }, 4]);
    expect(consumed.refused?.code).toBe("ACCESS_ENDED");
    const sent = afterSteps(
      granted(),
      [consume, 2],
      [{ type: "sent", attempt: 1 }, 3],
      [revoke, 4],
      [{ type: "done", attempt: 1, status: 200 }, 5],
    );
    expect(sent.request).toMatchObject({ phase: "ended", ended: { why: "shift over" }, grant: { use: "done" } });
    expect(step(sent.request, revoke, 6).refused?.code).toBe("ACCESS_ENDED");
  });

  test("only the requester cancels, and only what waits", () => {
    expect(step(opened(), { type: "cancel", by: bob }, 1).refused?.code).toBe("ACCESS_NOT_REQUESTER");
    expect(step(opened(), { type: "cancel", by: ada }, 1).request.phase).toBe("cancelled");
    expect(step(granted(), { type: "cancel", by: ada }, 2).refused?.code).toBe("ACCESS_DECIDED");
  });

  test("break-glass access is approved by its rule, and looked at afterwards by somebody else, once", () => {
    const result = open(opening({ breakGlass: true, slots: [], approvedBecause: "break-glass" }), 0);
    if (!result.ok) throw new Error("refused");
    expect(result.events.map(({ type }) => type)).toEqual(["requested", "decided", "granted"]);
    expect(result.request).toMatchObject({ phase: "granted", approvals: [{ channel: "rule", by: { isProgram: true } }] });
    const reviewers = [slot("group:security", { groups: ["security"] }), slot("human:bob", { humans: [bob.human] })];
    const by = (who: Person): Command => ({ type: "review", by: who, comment: "fine", reviewers });
    expect(step(result.request, by(ada), 1).refused?.code).toBe("ACCESS_SELF_APPROVAL");
    expect(step(result.request, by(person("odo", ["audit"])), 1).refused).toEqual({
      code: "ACCESS_NOT_APPROVER",
      message: "oidc:odo is not one of those who review it; the rule names: group:security, human:bob.",
    });
    expect(step(result.request, by(person("bot", ["security"], { isProgram: true })), 1).refused?.code).toBe("ACCESS_PROGRAM");
    expect(step(result.request, { ...by(bob), reviewers: [] } as Command, 1).refused?.code).toBe("ACCESS_NOT_APPROVER");
    const reviewed = step(step(result.request, { type: "elapse" }, 9e9).request, by(bob), 9e9);
    expect(reviewed.request).toMatchObject({ reviewed: { by: bob, comment: "fine" }, reviewers });
    expect(step(reviewed.request, by(eve), 9e9).refused?.code).toBe("ACCESS_NOT_BREAK_GLASS");
    expect(step(granted(), by(eve), 2).refused?.code).toBe("ACCESS_NOT_BREAK_GLASS");
  });

  test.each<[string, Partial<Opening>]>([
    ["ACCESS_REASON_REQUIRED", { breakGlass: true, reason: " " }],
    ["ACCESS_BAD_REQUEST", { pendingMilliseconds: 0 }],
    ["ACCESS_BAD_REQUEST", { grantMilliseconds: Number.NaN }],
    ["ACCESS_BAD_REQUEST", { ask: { type: "session", namespace: "x", milliseconds: -1, mode: "gateway" } }],
    ["ACCESS_BAD_REQUEST", { requester: { ...ada, user: "" } }],
  ])("%s: %j opens nothing", (code, more) => {
    expect(open(opening(more), 0)).toMatchObject({ ok: false, refused: { code } });
  });
});

test("the people of the tests ask for what the tests say", () => {
  expect(actionAsk).toMatchObject({ digest, action: action() });
});
