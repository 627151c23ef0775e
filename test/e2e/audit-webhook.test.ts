import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createOwnCertificate } from "../../src/adapters/certificates.ts";
import { ServingCertificates } from "../../src/services/live/serving-certificates.ts";
import { controlPlaneBinaries } from "../cluster/binaries.ts";
import { type Cluster, freePort, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";
import type { AuditEvent } from "./gateway-stand.ts";

const guide = await readFile(join(import.meta.dirname, "../../docs/guide/control-plane.md"), "utf8");

/** A file, or the arguments, that the guide tells people to copy: the block that begins with such a comment. */
function copied(first: string): string {
  const block = guide.split("```yaml\n").find((text) => text.startsWith(`# ${first}`));
  return block?.slice(0, block.indexOf("```")) ?? "";
}

/** What people do, both stages; nothing of what keeps the API server itself going, which in a blocking mode would wait for us. */
const peoplesPolicy = JSON.stringify({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  rules: [
    { level: "None", users: ["system:apiserver"] },
    { level: "None", nonResourceURLs: ["/readyz*", "/livez*", "/healthz*"] },
    { level: "Metadata", users: ["alice", "bob"] },
    { level: "Metadata", users: ["admin"], resources: [{ group: "rbac.authorization.k8s.io" }] },
  ],
});

interface Stand {
  readonly cluster: Cluster;
  readonly server: CastellanServer;
  as(user: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }>;
  /** What the API server says it wrote to its log: all that the ledger should have. */
  logged(): Promise<readonly string[]>;
  readonly log: string;
}

interface Way {
  readonly mode: string;
  readonly policy: string;
  /** How the API server shows who it is. */
  readonly proof: "token" | "certificate";
}

const told = ({ auditID, stage }: Pick<AuditEvent, "auditID" | "stage">) => `${auditID} ${stage}`;

let directory = "";
let stand: Stand | undefined;
const available = (await controlPlaneBinaries(["etcd", "kube-apiserver", "kubectl"])).available;

async function start({ mode, policy, proof }: Way): Promise<Stand> {
  const path = (name: string) => join(directory, name);
  const file = async (name: string, text: string) => {
    await writeFile(path(name), text, { mode: 0o600 });
    return path(name);
  };
  const data = path("data");
  await mkdir(data);
  const listen = `127.0.0.1:${await freePort()}`;
  // As `castellan serve` makes them itself: the API server reads the authority when it starts.
  const { authorities } = await new ServingCertificates(data, { dns: [], ips: ["127.0.0.1"] }).current(Date.now());
  await file("data/audit-token", "the-token-of-the-audit-webhook\n");
  const client = await createOwnCertificate("kube-apiserver", Date.now(), 1);
  const certificate = { "client-certificate": await file("client.pem", client.certificate) };
  const user = { ...certificate, "client-key": await file("client-key.pem", client.key) };
  await file("castellan-ca.pem", authorities);
  const here = (text: string) => text.replaceAll("/etc/kubernetes/audit", directory).replaceAll("/var/log/kubernetes", directory);
  const webhook = here(copied("/etc/kubernetes/audit/webhook.yaml"))
    .replace("castellan.example.com:9443", listen)
    .replace("<audit-token>", "the-token-of-the-audit-webhook");
  await file("webhook.yaml", proof === "token" ? webhook : webhook.replace(/user: \{.*?\}/, `user: ${JSON.stringify(user)}`));
  await file("policy.yaml", policy);
  const flags = here(copied("arguments of kube-apiserver")).matchAll(/^- (--\S+)$/gm);
  const cluster = await startCluster({
    apiServerFlags: [
      ...[...flags].map(([, flag = ""]) => flag.replace("mode=batch", `mode=${mode}`)),
      // Ten seconds at first is what an API server has by itself; a test should not wait so long.
      "--audit-webhook-initial-backoff=1s",
      ...(mode === "batch" ? ["--audit-webhook-batch-max-wait=500ms"] : []),
    ],
  });
  if (!cluster.available) throw new Error(cluster.reason);
  const callers = proof === "token" ? [] : ["--webhook-client-ca", await file("client-ca.pem", client.certificate)];
  const server = new CastellanServer(data, ["--kubeconfig", cluster.kubeconfig, ...callers], {}, listen);
  await server.start();
  return {
    cluster,
    server,
    log: path("audit.log"),
    as: (name, ...args) => kubectl(cluster, args, undefined, name),
    logged: async () => {
      const lines = (await readFile(path("audit.log"), "utf8")).split("\n").filter((line) => line.endsWith("}"));
      return lines.map((line) => told(JSON.parse(line)));
    },
  };
}

interface Kept {
  readonly actor: string;
  readonly verb: string;
  readonly resource: string;
  readonly name?: string;
  readonly cluster: string;
  readonly outcome?: string;
  readonly data: AuditEvent;
}

async function records({ server }: Stand, ...filter: readonly string[]): Promise<readonly Kept[]> {
  const { text } = await server.run("audit", "export", "--kind", "audit.event", ...filter);
  const lines = text.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line): Kept => JSON.parse(line).record);
}

/** Until the ledger holds all that the API server has logged so far, each once. */
async function arrived(of: Stand): Promise<void> {
  const logged = await of.logged();
  let missing: readonly string[] = [];
  await of.server.until(async () => {
    const kept = (await records(of)).map(({ data }) => told(data));
    expect(new Set(kept).size).toBe(kept.length);
    const known = new Set(kept);
    missing = logged.filter((event) => !known.has(event));
    return missing.length === 0;
  });
  expect(missing).toEqual([]);
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-audit-webhook-"));
});
afterEach(async () => {
  await stand?.server.stop();
  await stand?.cluster.stop();
  stand = undefined;
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** Each question with who did what: the people are those who ran kubectl. */
const answers = [
  ["rbac-changes", "admin create clusterrolebindings alice-develops 201"],
  ["secret-reads", "alice get secrets key 200"],
  ["exec", "alice get pods/exec shell 400"],
  ["deployed", "alice create deployments web 201"],
  ["denied", "bob list secrets - 403"],
] as const;

describe.skipIf(!available)("the API server's audit webhook", () => {
  const ways: readonly Way[] = [
    { mode: "batch", policy: copied("/etc/kubernetes/audit/policy.yaml"), proof: "token" },
    { mode: "blocking-strict", policy: peoplesPolicy, proof: "certificate" },
  ];
  test.for(ways)("$mode, by $proof: questions are answered with the right people", { timeout: 120_000 }, async (way) => {
    stand = await start(way);
    const { as, server } = stand;
    const resources = "--resource=pods,pods/exec,secrets,deployments.apps";
    await as("admin", "create", "clusterrole", "developer", "--verb=*", resources);
    await as("admin", "create", "clusterrolebinding", "alice-develops", "--clusterrole=developer", "--user=alice");
    await server.until(async () => (await as("alice", "auth", "can-i", "create", "pods")).code === 0);
    const made = [
      ["create", "secret", "generic", "key", "--from-literal=a=b"],
      ["get", "secret", "key"],
      ["create", "deployment", "web", "--image=nginx"],
      ["run", "shell", "--image=busybox"],
    ];
    for (const args of made) expect(await as("alice", ...args)).toMatchObject({ code: 0 });
    expect(await as("alice", "exec", "shell", "--", "id")).toMatchObject({ code: 1 });
    expect((await as("bob", "get", "secrets")).text).toContain("Forbidden");
    await arrived(stand);
    for (const [question, answer] of answers) {
      const { text } = await server.run("audit", "query", "--saved", question, "--on", "prod", "-o", "json");
      const found = text
        .trim()
        .split("\n")
        .map((line): Kept => JSON.parse(line).record);
      const lines = found.map(({ actor, verb, resource, name = "-", outcome }) =>
        [actor, verb, resource, name, outcome].join(" "),
      );
      expect([question, lines]).toEqual([question, expect.arrayContaining([answer])]);
    }
    expect(new Set((await records(stand)).map(({ cluster }) => cluster))).toEqual(new Set(["prod"]));
  });

  test("batch: what happens while we are gone is sent again, and is kept once; the log adds nothing", async () => {
    stand = await start({ mode: "batch", policy: peoplesPolicy, proof: "token" });
    const { as, server, log } = stand;
    const names = Array.from({ length: 30 }, (_, n) => `gone-${n}`);
    for (const name of names) {
      // In the middle of it: some batches are then kept and never answered.
      if (name === "gone-10") await server.stop("SIGKILL");
      await as("bob", "get", "configmap", name);
    }
    await sleep(3000);
    await server.start();
    await arrived(stand);
    const asked = (await records(stand, "--actor", "bob", "--resource", "configmaps", "--outcome", "403")).map(
      ({ name }) => name,
    );
    expect(asked.toSorted()).toEqual(names.toSorted());
    await server.stop();
    const again = await server.run("audit", "ingest", "--cluster", "prod", log);
    expect(again).toMatchObject({ code: 0 });
    const kept = (await records(stand)).map(({ data }) => told(data));
    expect(kept.toSorted()).toEqual([...new Set(await stand.logged())].toSorted());
    expect(await server.run("audit", "verify")).toMatchObject({ code: 0, text: expect.stringMatching(/^verified/) });
  }, 120_000);
});
