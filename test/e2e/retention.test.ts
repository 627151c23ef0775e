import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { ledgerOrigin, openStore } from "../../src/cli/open-store.ts";
import { type RunningPostgres, startPostgres } from "../database/postgres.ts";
import { runCli } from "../run-cli.ts";
import { CastellanServer } from "./castellan-server.ts";
import { configMap } from "./require-team.ts";

const day = 86_400_000;
let directory = "";
let postgres: RunningPostgres | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-retention-"));
  await writeFile(join(directory, "object.json"), configMap("one"));
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** 3,000 records, a third each of 100, 50 and 2 days ago. */
async function fill(data: string, url: string | undefined): Promise<void> {
  await mkdir(data, { recursive: true });
  const store = await openStore(data, url);
  let now = 0;
  const ledger = new Ledger(store, await openSigner(data, ledgerOrigin), () => now);
  for (const days of [100, 50, 2]) {
    now = Date.now() - days * day;
    await ledger.append(
      Array.from({ length: 1000 }, (_, n) => ({
        kind: "audit.event" as const,
        at: now,
        cluster: "files",
        key: `${days}-${n}`,
        data: {},
      })),
    );
  }
  await ledger.close();
  await store.close();
}

const removals = async (server: CastellanServer) =>
  (await server.run("audit", "export", "--kind", "server.event")).text.split("\n").filter((line) => line.includes('"prune"'));

describe.each(["sqlite", "postgres"] as const)("serve --retain on %s", (engine) => {
  test("removes what is older at once and then daily, once for all replicas; the rest verifies", async ({ skip }) => {
    if (engine === "postgres" && postgres === undefined) skip("there is no PostgreSQL");
    const url = engine === "postgres" ? await postgres?.create() : undefined;
    const data = join(directory, engine);
    await fill(data, url);
    const flags = ["--files", join(directory, "object.json"), "--retain", "30d", "--ledger-key", join(data, "ledger-key.pem")];
    const env = url === undefined ? {} : { DATABASE_URL: url };
    const replicas = [new CastellanServer(data, flags, env)];
    if (url !== undefined) replicas.push(new CastellanServer(join(directory, "other"), flags, env));
    try {
      await Promise.all(replicas.map((replica) => replica.start()));
      const [first] = replicas;
      if (first === undefined) throw new Error("unreachable");
      // 2,000 records are older than 30 days: seven whole blocks of 256.
      const told = () => replicas.map(({ output }) => output).join("");
      await first.until(() => /the first that is left is 1792/.test(told()));
      expect(told()).toMatch(/castellan: retention \(--retain 30d\): 1,?792 records taken before \d{4}-.* removed/);
      expect(await first.run("audit", "verify")).toMatchObject({ code: 0, text: expect.stringContaining("verified") });
      expect(await removals(first)).toHaveLength(1);
      const counted = await Promise.all(
        replicas.map(async (one) => /castellan_ledger_pruned_records_total (\d+)/.exec(await one.metrics())?.[1]),
      );
      expect(counted.reduce((sum, one) => sum + Number(one), 0)).toBe(1792);
      // Once more on the same day: there is nothing more to say.
      await first.stop();
      await first.start();
      expect(await removals(first)).toHaveLength(1);
    } finally {
      await Promise.all(replicas.map((replica) => replica.stop()));
    }
    const verified = await replicas[0]?.run("audit", "verify");
    expect(verified).toMatchObject({ code: 0, text: expect.stringContaining("verified") });
  });
});

test.for(["0d", "12h", "365", "-1d", "1.5d", ""])("--retain %s is refused before anything is opened", async (retain) => {
  const { code, err } = await runCli(["serve", "--data", join(directory, "none"), "--retain", retain]);
  expect([code, err]).toEqual([3, expect.stringContaining("1d at least")]);
});
