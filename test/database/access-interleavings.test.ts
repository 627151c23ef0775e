import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { person } from "../../src/access/machine/people.testing.ts";
import { sameHuman } from "../../src/access/machine/same-human.ts";
import type { Person } from "../../src/access/person.ts";
import type { AccessRequest } from "../../src/access/request.ts";
import { asString, member } from "../../src/core/json.ts";
import type { GrantUse } from "../../src/services/access/desk.ts";
import type { StoredAccessDesk } from "../../src/services/access/stored-desk.ts";
import { AccessWorld, ada, ask, deletePods, type LedgerEntry, minute, pod, rulesOf, value } from "./access-world.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

/** All of them where CI is set; that takes minutes. */
const runs = process.env["CI"] === "true" ? 2000 : 400;
/** So many requests are worked on at once, each by its own actors, on two replicas of the desk. */
const lanes = 8;

let directory = "";
let server: RunningPostgres | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-interleavings-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const people = [
  ada,
  person("ada-2", ["oncall", "security"], { human: "ada" }),
  person("p", ["oncall"]),
  person("q", ["oncall", "security"]),
  person("q-2", ["security"], { human: "q" }),
  person("s", ["security"]),
  person("robot", ["oncall"], { isProgram: true }),
];

const approvers = people.filter((one) => !one.isProgram && one.human !== "ada");

type Move =
  | { readonly type: "approve" | "deny" | "cancel" | "revoke"; readonly by: Person }
  | { readonly type: "use"; readonly times: number }
  /** As a gateway calls, from beginning to end. */
  | { readonly type: "call"; readonly outcome: "done" | "unknown" | "returned" }
  | { readonly type: "sent" | "done" | "unknown" | "returned"; readonly which: number }
  | { readonly type: "clock"; readonly by: number }
  | { readonly type: "restart" };

const who = fc.constantFrom(...people);
const which = fc.constantFrom(0, 0, 0, 0, 1, 2);
const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.oneof(
    { weight: 80, arbitrary: fc.constantFrom(...approvers).map((by): Move => ({ type: "approve", by })) },
    { weight: 10, arbitrary: who.map((by): Move => ({ type: "approve", by })) },
    {
      weight: 10,
      arbitrary: fc.tuple(fc.constantFrom("deny", "cancel", "revoke"), who).map(([type, by]): Move => ({ type, by })),
    },
    { weight: 60, arbitrary: fc.constantFrom("done", "unknown", "returned").map((outcome): Move => ({ type: "call", outcome })) },
    { weight: 80, arbitrary: fc.integer({ min: 1, max: 3 }).map((times): Move => ({ type: "use", times })) },
    { weight: 80, arbitrary: which.map((n): Move => ({ type: "sent", which: n })) },
    {
      weight: 80,
      arbitrary: fc.tuple(fc.constantFrom("done", "unknown", "returned"), which).map(([type, n]): Move => ({ type, which: n })),
    },
    // One clock for all: the others' time jumps as well.
    { weight: 30, arbitrary: fc.integer({ min: -5000, max: 20_000 }).map((by): Move => ({ type: "clock", by })) },
    { weight: 1, arbitrary: fc.integer({ min: -8 * minute, max: 12 * minute }).map((by): Move => ({ type: "clock", by })) },
    { weight: 10, arbitrary: fc.constant<Move>({ type: "restart" }) },
  ),
  { minLength: 6, maxLength: 14, size: "max" },
);

/** One request from its opening to wherever the moves lead; answers its id and how often the caller was let through. */
async function play(world: AccessWorld, desks: StoredAccessDesk[], sequence: readonly Move[], name: string) {
  const action = pod({ name });
  const any = () => desks[Math.floor(Math.random() * desks.length)] ?? expect.fail("no desk");
  // Whoever asks has few requests waiting, as people have.
  const own = (by: Person): Person =>
    by.human === "ada" ? { ...by, subject: `${by.subject}-${name}`, user: `${by.user}-${name}`, human: `ada-${name}` } : by;
  const { id } = value(await any().open(ask(own(ada), action)));
  const uses: GrantUse[] = [];
  let sent = 0;
  for (const move of sequence) {
    switch (move.type) {
      case "approve":
      case "deny":
        await any().decide(id, own(move.by), move.type, "", "api");
        break;
      case "cancel":
        await any().cancel(id, own(move.by));
        break;
      case "revoke":
        await any().revoke(id, own(move.by), "");
        break;
      case "use": {
        const tried = await Promise.all(Array.from({ length: move.times }, () => any().use(own(ada), action)));
        const won = tried.filter((use) => use !== undefined);
        expect(won.length).toBeLessThanOrEqual(1);
        uses.push(...won);
        break;
      }
      case "call": {
        const use = await any().use(own(ada), action);
        if (use === undefined) break;
        uses.push(use);
        if (move.outcome === "returned") await use.returned("x");
        else if ((await use.sent()).ok) {
          sent++;
          await (move.outcome === "done" ? use.done(200) : use.unknown("x"));
        }
        break;
      }
      case "sent": {
        const use = uses.at(-1 - move.which);
        if (use !== undefined && (await use.sent()).ok) sent++;
        break;
      }
      case "done":
        await uses.at(-1 - move.which)?.done(200);
        break;
      case "unknown":
      case "returned":
        await uses.at(-1 - move.which)?.[move.type]("x");
        break;
      case "clock":
        world.wall += move.by;
        break;
      case "restart": {
        const next = await world.desk();
        const old = desks.shift();
        desks.push(next);
        await old?.close();
        // What the process held of this request is gone with it.
        uses.length = 0;
      }
    }
  }
  return { id, sent };
}

/** What the ledger tells of a request must be what its row says, and must be allowed. */
function checkStory(request: AccessRequest, entries: readonly LedgerEntry[], sent: number): void {
  let phase = "";
  let use: string | undefined;
  let until = Number.POSITIVE_INFINITY;
  const approvals: string[] = [];
  const count = { consumed: 0, sent: 0, returned: 0 };
  for (const { kind, outcome, at, data } of entries) {
    if (kind === "access.requested") phase = "pending";
    if (kind === "access.decided") {
      expect(phase).toBe("pending");
      expect(at).toBeLessThan(request.pendingUntil);
      approvals.push(`${outcome} ${asString(member(member(data, "by"), "user"))}`);
      if (outcome === "deny") phase = "denied";
    }
    if (kind === "access.granted") {
      [phase, use] = ["granted", "live"];
      until = Number(member(member(data, "grant"), "until"));
      expect(until - at).toBeLessThanOrEqual(10 * minute);
    }
    if (kind === "access.used") {
      const what = asString(member(data, "use")) ?? "";
      if (what === "consumed" || what === "sent") {
        expect(phase).toBe("granted");
        expect(at).toBeLessThan(until);
      }
      if (what === "consumed") expect(use).toBe("live");
      if (what === "consumed" || what === "sent" || what === "returned") count[what]++;
      use = what === "returned" ? "live" : what;
    }
    if (kind === "access.ended") phase = asString(member(data, "phase")) ?? "";
  }
  expect({ phase, use }).toEqual({ phase: request.phase, use: request.grant?.use });
  expect(approvals).toEqual(request.approvals.map(({ verdict, by }) => `${verdict} ${by.user}`));
  expect(count.sent).toBe(sent);
  expect(sent).toBeLessThanOrEqual(1);
  expect(count.consumed - count.returned).toBeLessThanOrEqual(1);
  const by = request.approvals.filter(({ verdict }) => verdict === "approve").map((one) => one.by);
  expect(by.some((one) => one.isProgram || sameHuman(one, request.requester))).toBe(false);
  by.forEach((one, i) => {
    expect(by.slice(i + 1).some((other) => sameHuman(one, other))).toBe(false);
  });
  if (request.grant !== undefined) expect(by.length).toBeGreaterThanOrEqual(2);
  // Every step is there, and none twice.
  const revisions = [...new Set(entries.map(({ data }) => Number(member(data, "revision"))))];
  expect(revisions).toEqual(Array.from({ length: request.revision }, (_, i) => i + 1));
}

describe.each(["sqlite", "postgres"] as const)("on %s", (engine) => {
  test(`${runs} interleavings keep the rules, and the ledger tells each of them`, { timeout: 600_000 }, async ({ skip }) => {
    if (engine === "postgres" && server === undefined) return skip("PostgreSQL is not installed");
    // What is tested is not whether disks keep what they say.
    const url = `${await server?.create()}&options=-c%20synchronous_commit%3Doff`;
    const world = await AccessWorld.open(engine, await mkdtemp(join(directory, "w-")), url);
    const slots = [{ from: ["group:oncall"] }, { from: ["group:security"] }];
    world.rules = rulesOf({ rules: { "delete-pods": { ...deletePods, approvals: slots } } });
    const desks = [await world.desk(), await world.desk()];
    const sequences = fc.sample(moves, runs);
    const played: { readonly id: string; readonly sent: number }[] = [];
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        for (let n = lane; n < runs; n += lanes) played.push(await play(world, desks, sequences[n] ?? [], `p${n}`));
      }),
    );
    // Nothing waits for ever: once all time has passed, everything is over.
    for (const desk of desks) await desk.close();
    world.wall += 3600 * minute;
    const last = await world.desk();
    const open = () => last.list({ phases: ["pending", "granted"], limit: 1 });
    await expect.poll(open, { timeout: 120_000, interval: 500 }).toEqual([]);
    await last.close();
    const stories = Map.groupBy(await world.records(), ({ request }) => request);
    const reached = new Set<string>();
    for (const { id, sent } of played) {
      const request = await last.get(id);
      if (request === undefined) throw new Error(`${id} is lost`);
      checkStory(request, stories.get(id) ?? [], sent);
      reached.add(`${request.phase} ${request.grant?.use ?? ""}`.trim());
    }
    expect(stories.size).toBe(runs);
    expect(reached).toContain("ended done");
    expect(reached).toContain("ended unknown");
    for (const phase of ["denied", "cancelled", "lapsed", "ended live", "ended consumed"]) expect(reached).toContain(phase);
    expect(await world.problems()).toEqual([]);
    expect(world.troubles).toEqual([]);
    await world.close();
  });
});
