import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, connect as dial, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, freePorts, startCluster } from "../cluster/start.ts";
import { type RunningPostgres, startPostgres } from "../database/postgres.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";
import { configMap, requireTeam } from "./require-team.ts";

const openSchema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
const reportKind = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "policyreports.wgpolicyk8s.io" },
  spec: {
    group: "wgpolicyk8s.io",
    names: { kind: "PolicyReport", plural: "policyreports", singular: "policyreport" },
    scope: "Namespaced",
    versions: [{ name: "v1alpha2", served: true, storage: true, schema: openSchema }],
  },
};

let cluster: Cluster | NotAvailable;
let postgres: RunningPostgres | undefined;
let directory = "";
let balancer: Server;
let ports: readonly number[] = [];
const replicas: CastellanServer[] = [];
let turn = 0;

function running(): Cluster {
  if (cluster.available !== true) throw new Error(cluster.reason);
  return cluster;
}

/** As a Service does it: each connection goes to the next replica that takes it. */
function balance(): Server {
  return createServer((socket) => {
    const attempt = (left: number): void => {
      const upstream = dial(ports[turn++ % 2] ?? 0, "127.0.0.1");
      upstream.once("connect", () => socket.pipe(upstream).pipe(socket));
      upstream.once("error", () => (left > 0 ? attempt(left - 1) : socket.destroy()));
      socket.on("error", () => upstream.destroy());
    };
    attempt(1);
  });
}

beforeAll(async () => {
  [cluster, postgres] = await Promise.all([startCluster(), startPostgres()]);
  if (!cluster.available || postgres === undefined) return;
  directory = await mkdtemp(join(tmpdir(), "castellan-replicas-"));
  const [first = 0, second = 0, front = 0] = await freePorts(3);
  ports = [first, second];
  const at = Date.now();
  const authority = await createAuthority("test", at, 2);
  const server = await issueServerCertificate(authority, { dns: [], ips: ["127.0.0.1"] }, at, 1);
  const certificates = join(directory, "certificates");
  await mkdir(certificates);
  await writeFile(join(certificates, "tls.crt"), server.certificate);
  await writeFile(join(certificates, "tls.key"), server.key);
  await writeFile(join(certificates, "ca.crt"), authority.certificate);
  const key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  await writeFile(join(directory, "ledger-key.pem"), key);
  await writeFile(join(directory, "policy.yaml"), requireTeam);
  await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(reportKind));
  await kubectl(cluster, ["apply", "-f", "-"], configMap("old", {}));
  balancer = balance().listen(front, "127.0.0.1");
  const database = await postgres.create();
  for (const [index, port] of ports.entries()) {
    const replica = new CastellanServer(
      join(directory, `replica-${index}`),
      [
        ...["--kubeconfig", cluster.kubeconfig, "--context", "admin", "--policies", join(directory, "policy.yaml")],
        ...["--webhook-certificates", certificates, "--ledger-key", join(directory, "ledger-key.pem")],
        ...["--webhook-url", `https://127.0.0.1:${front}`],
      ],
      { DATABASE_URL: database },
      `127.0.0.1:${port}`,
    );
    replicas.push(replica);
    await replica.start();
  }
});

afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  balancer?.close();
  await postgres?.stop();
  if (cluster.available) await cluster.stop();
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

const holder = async () =>
  (await kubectl(running(), ["get", "lease", "castellan", "-n", "default", "-o", "jsonpath={.spec.holderIdentity}"])).text;

async function opened(name: string): Promise<number> {
  const { text } = (await replicas[1]?.run("audit", "export", "--kind", "finding.opened")) ?? { text: "" };
  const records = text.trim().split("\n");
  return records.filter((line) => line.includes("require-team") && line.includes(`"name":"${name}"`)).length;
}

describe("two replicas on one PostgreSQL", () => {
  test("share admission, one tells findings, and the other takes over", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    if (postgres === undefined) skip("there is no PostgreSQL");
    const [first, second] = replicas;
    if (first === undefined || second === undefined) throw new Error("unreachable");
    for (let n = 0; n < 6; n++) {
      const { code, text } = await kubectl(running(), ["apply", "-f", "-"], configMap(`denied-${n}`, {}));
      expect([code, text]).toEqual([1, expect.stringContaining("label team is required")]);
    }
    await second.until(async () => (await opened("old")) > 0);
    expect(await opened("old")).toBe(1);
    const leader = await holder();
    expect(leader).not.toBe("");
    await first.stop("SIGKILL");
    expect((await kubectl(running(), ["apply", "-f", "-"], configMap("denied", {}))).text).toContain("label team is required");
    await second.until(async () => !["", leader].includes(await holder()), 60);
    expect((await kubectl(running(), ["label", "configmap", "old", "team=nlp"])).code).toBe(0);
    await second.until(async () =>
      ((await second.run("audit", "export", "--kind", "finding.closed")).text ?? "").includes("require-team"),
    );
    expect(await second.run("audit", "verify")).toMatchObject({ code: 0, text: expect.stringContaining("verified") });
  });
});
