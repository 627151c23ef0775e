import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";

const policies = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-team}
spec:
  rules:
    - name: label
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: [nlp, vision]}}]}
      validate: {failureAction: Audit, message: "label team is required", pattern: {metadata: {labels: {team: "?*"}}}}
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: add-cost}
spec:
  rules:
    - name: cost
      match: {any: [{resources: {kinds: [Service]}}]}
      mutate: {patchStrategicMerge: {metadata: {labels: {+(cost): "42"}}}}
`;

let cluster: Cluster | NotAvailable;
let directory = "";
let server: CastellanServer;

function running(): Cluster {
  if (!cluster.available) throw new Error(cluster.reason);
  return cluster;
}

function apply(name: string, namespace: string, labels: object = {}, user = "admin") {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels } };
  return kubectl(running(), ["create", "-f", "-"], JSON.stringify(object), user);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-rollout-"));
  await writeFile(join(directory, "policies.yaml"), policies);
  cluster = await startCluster();
  if (!cluster.available) return;
  server = new CastellanServer(join(directory, "data"), [
    "--kubeconfig",
    cluster.kubeconfig,
    "--policies",
    join(directory, "policies.yaml"),
  ]);
  const namespace = (name: string, team: string) =>
    `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {team: ${team}}}}`;
  await kubectl(cluster, ["apply", "-f", "-"], `${namespace("nlp", "language")}\n---\n${namespace("vision", "sight")}\n`);
  await kubectl(cluster, ["create", "clusterrolebinding", "alice", "--clusterrole=cluster-admin", "--user=alice"]);
  await server.start();
});

afterAll(async () => {
  await server?.stop();
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("a policy is rolled out on a real cluster", () => {
  test("enforcing is refused while somebody would be stopped, and says whom", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    expect((await apply("good", "vision", { team: "sight" })).code).toBe(0);
    expect((await apply("bad", "nlp", {}, "alice")).code).toBe(0);
    await server.until(async () => (await server.metrics()).includes('kyverno_policy_results_total{policy_name="require-team"'));
    const refused = await server.run("policy", "promote", "require-team", "--to", "enforce");
    expect(refused.code).toBe(1);
    expect(refused.text).toContain("not promoted");
    expect(refused.text).toMatch(/language +nlp .*ConfigMap bad/);
    expect(refused.text).toMatch(/By user: alice 1\./);
    expect((await apply("bad2", "nlp")).code).toBe(0);
  });

  test("a namespace in which nobody would be stopped goes first", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const promoted = await server.run("policy", "promote", "require-team", "--to", "enforce", "-n", "vision", "-o", "json");
    expect(promoted.text).toContain("is enforce from now on in vision");
    expect(promoted.code).toBe(0);
    const denied = await apply("bad3", "vision");
    expect(denied.text).toContain("label team is required");
    expect((await apply("bad4", "nlp")).code).toBe(0);
  });

  test("with a reason it is enforced everywhere, recorded, and stays so", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const promoted = await server.run("policy", "promote", "require-team", "--to", "enforce", "--reason", "CHG-7 owners told");
    expect(promoted.code).toBe(0);
    expect((await apply("bad5", "nlp")).text).toContain("label team is required");
    await server.stop("SIGKILL");
    await server.start();
    expect((await apply("bad6", "nlp")).text).toContain("label team is required");
    const records = (await server.run("audit", "query", "--kind", "policy.changed", "-o", "json")).text.trim().split("\n");
    const [newest] = records.map((line) => JSON.parse(line).record);
    expect(records).toHaveLength(2);
    expect(newest).toMatchObject({
      actor: "operator",
      name: "require-team",
      outcome: "enforce",
      data: { reason: "CHG-7 owners told", preview: { teams: { language: 3 } } },
    });
    const back = await server.run("policy", "promote", "require-team", "--to", "audit");
    expect(back.code).toBe(0);
    expect((await apply("bad7", "nlp")).code).toBe(0);
    expect((await apply("bad8", "vision")).text).toContain("label team is required");
    expect((await server.run("audit", "verify")).text).toContain("verified");
  });

  test("one that warns lets objects in and tells who makes them; one that audits says nothing", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const quiet = await apply("quiet", "nlp");
    expect(quiet).toMatchObject({ code: 0, text: expect.not.stringContaining("Warning:") });
    expect(await server.run("policy", "promote", "require-team", "--to", "warn")).toMatchObject({ code: 0 });
    const warned = await apply("warned", "nlp");
    expect(warned).toMatchObject({ code: 0, text: expect.stringMatching(/Warning: .*require-team.*label team is required/) });
    expect((await apply("fine", "nlp", { team: "language" })).text).not.toContain("Warning:");
    expect(await server.run("policy", "promote", "require-team", "--to", "audit")).toMatchObject({ code: 0 });
  });

  test("what cannot be promoted is said", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const promote = (name: string) => server.run("policy", "promote", name, "--to", "warn");
    expect(await promote("nobody")).toMatchObject({ code: 3, text: expect.stringContaining("there is no policy nobody") });
    expect(await promote("add-cost")).toMatchObject({ code: 3, text: expect.stringContaining("refuses nothing") });
  });

  test("metrics tell of admissions, and both labels of results", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const text = await server.metrics();
    const line = text
      .split("\n")
      .find(
        (l) => l.startsWith("kyverno_policy_results_total") && l.includes('rule_result="fail"') && l.includes("require-team"),
      );
    expect(line).toContain('result="fail"');
    expect(line).toContain('rule_execution_cause="');
    expect(text).toMatch(/castellan_admission_reviews_total\{stage="validate",outcome="deny"\} [1-9]/);
    expect(text).toMatch(/castellan_ledger_commit_duration_seconds_count [1-9]/);
    expect(text).toMatch(/castellan_policies\{cluster="\w+",state="working"\} 2/);
  });

  test("the console's policies say what they did at admission, what they find, and what they cost", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const login = /console:? .*?(http:\/\/\S+)/.exec(server.output)?.[1] ?? "";
    const cookie = String((await request(login)).headers["set-cookie"]).split(";")[0] ?? "";
    const answer = (await (await request(`${server.origin}/api/v1/policies`, { headers: { cookie } })).body.json()) as {
      items: readonly { name: string }[];
    };
    const row = answer.items.find(({ name }) => name.endsWith("/require-team"));
    expect(row).toMatchObject({ admitted: { error: 0 }, findings: { warn: 0, error: 0 } });
    const { admitted, findings, cost } = row as unknown as {
      readonly [name: string]: { readonly [name: string]: number };
    };
    expect(findings?.["fail"]).toBeGreaterThanOrEqual(2);
    expect(admitted?.["fail"]).toBeGreaterThanOrEqual(2);
    expect(admitted?.["pass"]).toBeGreaterThanOrEqual(1);
    expect(cost?.["microseconds"]).toBeGreaterThan(0);
    expect(cost?.["samples"]).toBeGreaterThan(0);
  });
});
