import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { Ledger, LedgerLate } from "../../src/adapters/store/ledger.ts";
import { recordsFrom } from "../../src/adapters/store/ledger-reading.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { answerReview } from "../../src/server/webhook/reviews.ts";
import { Admission } from "../../src/services/admission/admit.ts";
import { PolicyGroups } from "../../src/services/admission/policy-groups.ts";
import { compilePolicies } from "../../src/services/policies.ts";
import { configMapReview, requireTeam } from "../e2e/require-team.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

const resources = loadKubernetesSchemas().resources();
/** A statement is given up after so long: later than any review here. */
const answerMilliseconds = 3000;
const late = /^the decision cannot be recorded: the database did not answer in time\. Try again/;

let server: RunningPostgres | undefined;
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-late-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.thaw().catch(() => {});
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A webhook on a database of its own, without its listener. */
async function webhook(running: RunningPostgres, waiting = 20_000) {
  const store = await openPostgres(await running.create(), { answerMilliseconds });
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), Date.now, { batch: 2000, waiting });
  const { set } = compilePolicies(parseDocuments(requireTeam, "policies.yaml").documents, resources);
  const admission = new Admission({
    cluster: "c1",
    facts: { known: () => undefined, fetch: async () => ({ ok: false, message: "not here" }) },
    resources: () => resources,
    host: { now: Date.now, random: Math.random },
    ledger,
  });
  const groups = new PolicyGroups(set.policies);
  const options = { admission, policies: () => groups, namespaceLabels: () => ({}), now: Date.now };
  return {
    store,
    ledger,
    /** What is answered, or why not, and after how long. */
    async review(uid: string, milliseconds: number, labels: { readonly [name: string]: string } = { team: "x" }) {
      const review = configMapReview(uid, uid, labels);
      const start = performance.now();
      const said = await answerReview("/validate/deny", review, start + milliseconds, options).then(
        (answer) => JSON.stringify(answer),
        (error: Error) => error.message,
      );
      return { said, after: performance.now() - start };
    },
    /** `uid outcome` of what is kept, in its order. */
    async kept(): Promise<readonly string[]> {
      const rows = await recordsFrom(store.reading, 0, 1000);
      return rows.map(({ body, outcome }) => `${JSON.parse(body).data.uid} ${outcome}`);
    },
    async close() {
      await ledger.close();
      await store.close();
    },
  };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries > 200) throw new Error("it did not happen");
    await sleep(100);
  }
}

describe("a database that says nothing", () => {
  test("each review is answered at its own time, and nothing of it is kept", async ({ skip }) => {
    if (server === undefined) return skip("PostgreSQL is not installed");
    const running = server;
    const at = await webhook(running);
    try {
      expect((await at.review("before", 5000)).said).toContain('"allowed":true');
      await running.freeze();
      const budgets = [300, 1000, 2000, 500, 1500] as const;
      const begun = budgets.map((budget, n) => at.review(`begun-${n}`, budget));
      await sleep(100);
      const waiting = budgets.map((budget, n) => at.review(`waits-${n}`, budget, {}));
      for (const [n, one] of [...begun, ...waiting].entries()) {
        const { said, after } = await one;
        expect(said).toMatch(late);
        const budget = budgets[n % budgets.length] ?? 0;
        expect(after).toBeGreaterThanOrEqual(budget - 1);
        expect(after).toBeLessThan(budget + 250);
      }
      // What is being written is still counted, and those that only waited no longer are.
      expect(at.ledger.backlog).toBe(budgets.length);
      await expect(at.ledger.append([], performance.now() - 1)).rejects.toBeInstanceOf(LedgerLate);
      await until(async () => at.ledger.backlog === 0);
    } finally {
      await running.thaw();
    }
    await until(async () => (await at.review("after", 1000)).said.includes('"allowed":true'));
    // The transaction failed before it was to be committed: there is nothing that needs a word.
    expect(await at.kept()).toEqual(["before allow", "after allow"]);
    await at.close();
  });

  test("reviews do not pile up: those that find no room are refused at once", async ({ skip }) => {
    if (server === undefined) return skip("PostgreSQL is not installed");
    const running = server;
    const at = await webhook(running, 10);
    try {
      await running.freeze();
      const all = await Promise.all(Array.from({ length: 50 }, (_, n) => at.review(`r${n}`, 1000)));
      expect(all.filter(({ said }) => late.test(said))).toHaveLength(10);
      const refused = all.filter(({ said }) =>
        /cannot be recorded: 10 records already wait to be written\. Try again/.test(said),
      );
      expect(refused).toHaveLength(40);
      expect(Math.max(...refused.map(({ after }) => after))).toBeLessThan(500);
    } finally {
      await running.thaw();
    }
    await at.close();
  });
});

test("a record that comes too late is followed by one that says what was answered", async ({ skip }) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const at = await webhook(server);
  await at.store.db.transaction().execute(async (on) => {
    // Another writer holds the ledger.
    await sql`select 1 from ledger_head for update`.execute(on);
    const said = await Promise.all([at.review("let-in", 300), at.review("refused", 300, {})]);
    expect(said.map((one) => late.test(one.said))).toEqual([true, true]);
  });
  await until(async () => (await at.kept()).length === 4);
  expect(await at.kept()).toEqual(["let-in allow", "refused deny", "let-in error", "refused error"]);
  const [, , follows] = await recordsFrom(at.store.reading, 0, 10);
  expect(JSON.parse(follows?.body ?? "")).toMatchObject({
    kind: "admission.decision",
    name: "let-in",
    data: { error: "the API server was told of an error: the database did not answer in time", stage: "validate", uid: "let-in" },
  });
  await at.close();
});

test("so is one of which nobody heard whether it was committed", async ({ skip }) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const running = server;
  const at = await webhook(running);
  await sql`create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(1); return null; end'`.execute(
    at.store.db,
  );
  await sql`create constraint trigger slow after insert on ledger_checkpoints deferrable initially deferred
    for each row execute function slow()`.execute(at.store.db);
  const one = at.review("committed", 60_000);
  await sleep(500);
  await running.freeze();
  try {
    const { said } = await one;
    expect(said).toMatch(/^the decision cannot be recorded: .*connection/);
  } finally {
    await running.thaw();
  }
  await until(async () => (await at.kept()).length === 2);
  expect(await at.kept()).toEqual(["committed allow", "committed error"]);
  await at.close();
});
