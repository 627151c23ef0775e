import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../run-cli.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

/** Commands that write to a ledger which several machines share. */
let directory = "";
let server: RunningPostgres | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-keys-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const event = (auditID: string) =>
  `${JSON.stringify({ kind: "Event", apiVersion: "audit.k8s.io/v1", level: "Metadata", auditID, stage: "ResponseComplete", verb: "get", requestURI: "/version", user: { username: "ada" }, requestReceivedTimestamp: "2026-11-01T10:00:00Z", stageTimestamp: "2026-11-01T10:00:00Z" })}\n`;

test("nobody signs a shared ledger with a key of their own", async ({ skip }) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const env = { DATABASE_URL: (await server.create()) ?? "" };
  const at = (name: string) => join(directory, name);
  const ingest = async (id: string, ...args: readonly string[]) => {
    await writeFile(at(`${id}.log`), event(id));
    return runCli(["audit", "ingest", at(`${id}.log`), ...args], { env });
  };
  expect(await ingest("first", "--data", at("server"))).toMatchObject({ code: 0 });
  const refused = { code: 3, err: expect.stringContaining("name the server's key with --ledger-key") };
  expect(await ingest("second", "--data", at("elsewhere"))).toMatchObject(refused);
  expect(await runCli(["store", "prune", "--older-than", "1d", "--data", at("elsewhere")], { env })).toMatchObject(refused);
  const key = join(at("server"), "ledger-key.pem");
  expect(await ingest("third", "--data", at("elsewhere"), "--ledger-key", key)).toMatchObject({ code: 0 });
  expect(await runCli(["audit", "verify", "--data", at("server")], { env })).toMatchObject({
    code: 0,
    out: expect.stringContaining("verified: 2 records"),
  });
});
