import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { queryLedger } from "../../src/adapters/store/ledger-reading.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { ingestEvents } from "../../src/services/audit/ingest.ts";
import { UsageWatch } from "../../src/services/audit/usage-watch.ts";

const day = 86_400_000;
const now = Date.UTC(2026, 5, 1, 12);

function event(n: number, at: number, verb: string, userAgent = "kubectl/v1.36.3 (linux/amd64)") {
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    auditID: `event-${n}`,
    stage: "ResponseComplete",
    verb,
    userAgent,
    user: { username: "system:serviceaccount:nlp:agent" },
    objectRef: { resource: "configmaps", namespace: "nlp", name: "c", apiVersion: "v1" },
    responseStatus: { code: 200 },
    stageTimestamp: new Date(at).toISOString(),
  };
}

test("the server learns from the ledger, finds what is new in it, and records that once", async () => {
  const directory = await mkdtemp(join(tmpdir(), "castellan-usage-"));
  const store = await openSqlite(directory);
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), () => now);
  const habits = Array.from({ length: 100 }, (_, n) => event(n, now - 36 * day + n * 0.35 * day, "get"));
  await ingestEvents(ledger, [...habits, event(200, now - day, "delete"), event(201, now - day + 1, "get", "curl/8.5")], "prod");
  for (const _ of ["first start", "second start"]) {
    let told = 0;
    const problems: unknown[] = [];
    const onTrouble = (error: unknown) => problems.push(error);
    const watch = new UsageWatch({ store, ledger, now: () => now, onChange: () => told++, onTrouble });
    watch.start();
    await watch.stop();
    expect(problems).toEqual([]);
    expect(told).toBe(1);
    const found = [...watch.findings().values()].flat();
    expect(
      found.map((f) => `${f.check.policy} ${f.check.rule} ${f.resource.kind} ${f.resource.namespace}/${f.resource.name}`),
    ).toEqual(["usage/new-verb delete ServiceAccount nlp/agent", "usage/new-user-agent curl ServiceAccount nlp/agent"]);
    expect(found[0]?.evidence).toMatchObject({ record: 100, usual: ["get"], resource: "configmaps", outcome: "200" });
  }
  expect(await queryLedger(store.reading, { kinds: ["finding.opened"] }, { limit: 10 })).toHaveLength(2);
  await ledger.close();
  await store.close();
  await rm(directory, { recursive: true });
});

test("a request behind the audit ID of another is kept, and is a finding", async () => {
  const directory = await mkdtemp(join(tmpdir(), "castellan-usage-"));
  const store = await openSqlite(directory);
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), () => now);
  const version = { ...event(1, now - day, "get"), requestURI: "/version" };
  const secrets = { ...event(1, now - day + 1, "list"), requestURI: "/api/v1/secrets" };
  await ingestEvents(ledger, [version, { ...version, stage: "ResponseStarted" }, secrets], "prod");
  const problems: unknown[] = [];
  const onTrouble = (error: unknown) => problems.push(error);
  const watch = new UsageWatch({ store, ledger, now: () => now, onChange: () => {}, onTrouble });
  watch.start();
  await watch.stop();
  expect(problems).toEqual([]);
  const found = [...watch.findings().values()].flat();
  expect(found.map(({ check, evidence }) => [check.policy, evidence])).toEqual([
    ["usage/audit-id", expect.objectContaining({ record: 2, earlierRecord: 0, auditID: "event-1" })],
  ]);
  await ledger.close();
  await store.close();
  await rm(directory, { recursive: true });
});
