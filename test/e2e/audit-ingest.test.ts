import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controlPlaneBinaries } from "../cluster/binaries.ts";
import { runCli } from "../run-cli.ts";
import { until } from "./api-server.ts";
import { startAuditedCluster } from "./gateway-stand.ts";

const available = (await controlPlaneBinaries(["etcd", "kube-apiserver", "kubectl"])).available;
let directory = "";
let audited: Awaited<ReturnType<typeof startAuditedCluster>> | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-audit-ingest-"));
  if (available) audited = await startAuditedCluster();
});
afterAll(async () => {
  await audited?.stop();
  await rm(directory, { recursive: true, force: true });
});

test("no request hides behind the audit ID of another, and a log that is read twice is kept once", async ({ skip }) => {
  if (audited === undefined) return skip("etcd and kube-apiserver are not installed");
  const { cluster, events } = audited;
  const ask = (path: string) =>
    new Promise<number | undefined>((done, failed) => {
      const headers = { authorization: `Bearer ${cluster.token("admin")}`, "audit-id": "same" };
      const call = request(cluster.server + path, { headers, ca: cluster.authority }, (response) => {
        response.resume().on("end", () => done(response.statusCode));
      });
      call.on("error", failed).end();
    });
  expect(await ask("/version")).toBe(200);
  expect(await ask("/api/v1/secrets")).toBe(200);
  const told = await until(
    async () => (await events()).filter(({ auditID }) => auditID === "same"),
    (found) => found.length >= 2,
  );
  const log = join(directory, "audit.log");
  await writeFile(log, told.map((event) => `${JSON.stringify(event)}\n`).join(""));
  const data = join(directory, "data");
  for (const _ of ["first", "again"]) {
    expect(await runCli(["audit", "ingest", "--cluster", "prod", log, "--data", data])).toMatchObject({ code: 0 });
  }
  const { out } = await runCli(["audit", "query", "-o", "json", "--data", data]);
  const records = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).record);
  expect(records.map(({ verb, data: { requestURI } }) => `${verb} ${requestURI}`)).toEqual([
    "list /api/v1/secrets",
    "get /version",
  ]);
});
