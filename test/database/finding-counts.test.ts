import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import type { Finding, Severity } from "../../src/core/finding.ts";
import { Trend } from "../../src/services/console/trend.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

const hour = 3_600_000;
const start = Date.UTC(2026, 10, 21, 10);

let server: RunningPostgres | undefined;
let directory = "";
const stores: Store[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-counts-"));
  server = await startPostgres();
});
afterAll(async () => {
  for (const store of stores) await store.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const finding = (severity: Severity, status: Finding["status"] = "fail"): Finding => ({
  id: `${severity} ${status}`,
  check: { policy: "p", rule: "r" },
  status,
  severity,
  resource: { group: "", version: "v1", kind: "Pod", namespace: "a", name: "b" },
  message: "",
  controls: [],
});

describe.each(["sqlite", "postgres"] as const)("counts of findings on %s", (engine) => {
  test("the last count of an hour stands, and clusters are added up", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) return skip("no PostgreSQL here");
    const store = engine === "sqlite" ? await openSqlite(directory) : await openPostgres((await server?.create()) ?? "");
    stores.push(store);
    let now = start;
    const teamOf = () => "";
    let found = [{ cluster: "prod", findings: [finding("high"), finding("high"), finding("low", "warn")], teamOf }];
    const troubles: unknown[] = [];
    const count = async () => {
      const trend = new Trend({ store, findings: () => found, now: () => now, onTrouble: (error) => troubles.push(error) });
      await trend.start();
      await trend.stop();
      return trend;
    };
    await count();
    now += hour / 2;
    found = [{ cluster: "prod", findings: [finding("high"), finding("low", "error")], teamOf }];
    await count();
    now += hour;
    // A cluster that is not reached is not counted: what was wrong there is not put right by that.
    found = [{ cluster: "test", findings: [finding("critical")], teamOf }];
    const trend = await count();
    const none = { critical: 0, high: 0, medium: 0, low: 0, info: 0, warnings: 0, errors: 0 };
    expect(await trend.points(7, undefined)).toEqual([
      { ...none, at: start, high: 1, errors: 1 },
      { ...none, at: start + hour, critical: 1, high: 1, errors: 1 },
    ]);
    expect(await trend.points(7, "test")).toEqual([{ ...none, at: start + hour, critical: 1 }]);
    // A point a day.
    expect(await trend.points(30, "prod")).toEqual([{ ...none, at: start, high: 1, errors: 1 }]);
    now += 399 * 24 * hour;
    await count();
    expect(await trend.points(400, "test")).toHaveLength(2);
    now += 2 * 24 * hour;
    await count();
    expect((await trend.points(500, "test")).map(({ at }) => at > start + hour)).toEqual([true, true]);
    expect(troubles).toEqual([]);
  });
});
