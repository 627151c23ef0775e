import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controlPlaneBinaries } from "../cluster/binaries.ts";
import { runCli } from "../run-cli.ts";
import { CastellanServer } from "./castellan-server.ts";
import { type AuditEvent, startAuditedCluster } from "./gateway-stand.ts";

const available = (await controlPlaneBinaries(["etcd", "kube-apiserver", "kubectl"])).available;
let directory = "";
let audited: Awaited<ReturnType<typeof startAuditedCluster>> | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-drift-live-"));
  if (available) audited = await startAuditedCluster();
});
afterAll(async () => {
  await audited?.stop();
  await rm(directory, { recursive: true, force: true });
});

const declared = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: default}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
`;
const limits = `---
apiVersion: v1
kind: LimitRange
metadata: {name: odd, namespace: default}
spec: {limits: []}
`;

test("drift is a finding while it lasts, with who did it, and a record for good", { timeout: 180_000 }, async ({ skip }) => {
  if (audited === undefined) return skip("etcd and kube-apiserver are not installed");
  const { cluster, events } = audited;
  const kubectl = (...args: readonly string[]) =>
    execFileSync(cluster.kubectl, ["--kubeconfig", cluster.kubeconfig, ...args], { encoding: "utf8" });
  const file = join(directory, "platform.yaml");
  const data = join(directory, "data");
  await writeFile(file, declared);
  kubectl("apply", "--server-side", "-f", file);
  const flags = ["--kubeconfig", cluster.kubeconfig, "--context", "admin", "--desired", `admin=${file}`];
  const server = new CastellanServer(data, flags);
  await server.start();
  try {
    const login = /console:? .*?(http:\/\/\S+)/.exec(server.output)?.[1] ?? "";
    const cookie = String((await request(login)).headers["set-cookie"]).split(";")[0] ?? "";
    const drifts = async () => {
      const answer = await request(`${server.origin}/api/v1/findings?limit=1000`, { headers: { cookie } });
      const { items } = (await answer.body.json()) as {
        readonly items: readonly { readonly [name in "policy" | "rule" | "kind" | "name" | "severity" | "message"]: string }[];
      };
      return items
        .filter(({ policy }) => policy === "drift/declared")
        .map(({ rule, kind, name, severity, message }) => `${severity} ${rule} ${kind} ${name}: ${message}`)
        .sort();
    };
    const dryRuns = async () => (await events()).filter(({ requestURI }) => requestURI.includes("dryRun=All")).length;
    expect(await drifts()).toEqual([]);

    const as = ["--as", "mallory@example.com", "--as-group", "system:masters"];
    kubectl(...as, "patch", "role", "reader", "--type=json", "-p", '[{"op":"replace","path":"/rules/0/verbs","value":["*"]}]');
    kubectl(...as, "create", "rolebinding", "backdoor", "--clusterrole=admin", "--user=mallory");
    await server.until(async () => (await drifts()).length === 2);
    expect(await drifts()).toEqual([
      "high changed Role reader: An object is not as declared",
      "high undeclared RoleBinding backdoor: An object was not declared",
    ]);

    const token = (await readFile(join(data, "audit-token"), "utf8")).trim();
    const post = async (items: readonly AuditEvent[]) => {
      const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
      const { statusCode } = await request(`https://${server.webhook}/audit?cluster=admin`, {
        dispatcher,
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "EventList", items }),
      });
      await dispatcher.close();
      return statusCode;
    };
    expect(await post(await events())).toBe(200);
    await server.until(async () => (await drifts()).every((text) => text.includes("by mallory@example.com at")));
    expect((await drifts()).map((text) => text.replace(/ at .*/, ""))).toEqual([
      "high changed Role reader: An object is not as declared; last patch by mallory@example.com",
      "high undeclared RoleBinding backdoor: An object was not declared; last create by mallory@example.com",
    ]);
    // What is as it was is not asked about again: webhooks would judge each dry run, and audit logs keep it.
    expect(await dryRuns()).toBe(2);

    expect(kubectl("apply", "--server-side", "--force-conflicts", "-f", file)).toContain("serverside-applied");
    kubectl("delete", "rolebinding", "backdoor");
    await writeFile(file, declared + limits);
    await server.until(async () => (await drifts()).length === 1 && (await drifts())[0]?.includes("LimitRange") === true);
    expect(await drifts()).toEqual(["medium missing LimitRange odd: A declared object is missing"]);

    const { text } = await server.run("audit", "query", "--kind", "drift.detected", "--kind", "drift.healed", "-o", "json");
    const records = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).record)
      .map(({ kind, outcome, resource, name, cluster: of }) => [kind, outcome, resource, name, of].join(" "))
      .sort();
    expect(records).toEqual([
      "drift.detected changed roles reader admin",
      "drift.detected missing limitranges odd admin",
      "drift.detected undeclared rolebindings backdoor admin",
      "drift.healed changed roles reader admin",
      "drift.healed undeclared rolebindings backdoor admin",
    ]);
  } finally {
    await server.stop();
  }
});

test("what is declared is declared for a cluster", async () => {
  const manifest = join(directory, "role.yaml");
  await writeFile(manifest, declared);
  const command = [
    "serve",
    "--files",
    manifest,
    "--desired",
    manifest,
    "--data",
    join(directory, "files"),
    "--listen",
    "127.0.0.1:0",
  ];
  const { code, err } = await runCli(command);
  expect([code, err]).toEqual([3, expect.stringContaining("--desired is compared with a cluster: --files are no cluster")]);
});
