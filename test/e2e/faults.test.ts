import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { type RunningPostgres, startPostgres } from "../database/postgres.ts";
import { CastellanServer, kubectl, type Ran } from "./castellan-server.ts";

const run = promisify(execFile);

function policy(name: string, kind: string, more = "", validate = 'pattern: {metadata: {labels: {team: "?*"}}}'): string {
  return `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: ${name}}
spec:
  ${more}
  rules:
    - name: label
      match: {any: [{resources: {kinds: [${kind}]}}]}
      validate: {failureAction: Enforce, message: "label team is required", ${validate}}
`;
}

/** A config map is refused while we are away, a secret is let through. */
const policies = [policy("strict", "ConfigMap"), policy("lenient", "Secret", "failurePolicy: Ignore")].join("---");

const openSchema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

const outageMilliseconds = 30_000;
/** A call's timeout, as it is registered, and what kubectl takes besides. */
const webhookMilliseconds = 10_000 + 4000;
/** By its failurePolicy, and told why. */
const refusedByFailure = /failed calling webhook.*the decision cannot be recorded: .*Try again in a moment/s;

interface Timed extends Ran {
  readonly milliseconds: number;
}

let cluster: Cluster | NotAvailable;
let postgres: RunningPostgres | undefined;
let directory = "";
let server: CastellanServer | undefined;
const admitted: string[] = [];
let count = 0;

function running(): Cluster {
  if (!cluster.available) throw new Error(cluster.reason);
  return cluster;
}

async function create(kind: "ConfigMap" | "Secret", labels: object = { team: "x" }): Promise<Ran> {
  const name = `f${count++}`;
  const object = { apiVersion: "v1", kind, metadata: { name, namespace: "default", labels } };
  const ran = await kubectl(running(), ["create", "-f", "-"], JSON.stringify(object));
  if (ran.code === 0 && kind === "ConfigMap") admitted.push(name);
  return ran;
}

async function serve(data: string, text = policies, env: NodeJS.ProcessEnv = {}): Promise<CastellanServer> {
  const file = join(directory, `policies-${count++}.yaml`);
  await writeFile(file, text);
  admitted.length = 0;
  // One with a shared database leaves its webhooks to its replicas.
  const flags = ["--kubeconfig", running().kubeconfig, "--policies", file, "--take-over-webhooks"];
  server = new CastellanServer(data, flags, env);
  await server.start();
  await server.until(async () => (await create("ConfigMap", {})).text.includes("label team is required"));
  return server;
}

/** Everything that was let in has its record, and no record was changed. */
async function expectEvidence(of: CastellanServer): Promise<void> {
  const exported = await of.run("audit", "export", "--kind", "admission.decision");
  const names = exported.text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).record.name);
  expect(admitted.filter((name) => !names.includes(name))).toEqual([]);
  expect(admitted.length).toBeGreaterThan(0);
  expect(await of.run("audit", "verify")).toMatchObject({ code: 0, text: expect.stringMatching(/^verified/) });
}

/** Does it again and again for so long, each once the one before has an answer. */
async function during(milliseconds: number, into: Timed[], work: () => Promise<Ran>): Promise<void> {
  for (const start = performance.now(); performance.now() - start < milliseconds; ) {
    const began = performance.now();
    const ran = await work();
    into.push({ ...ran, milliseconds: performance.now() - began });
    await sleep(100);
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-faults-"));
  cluster = await startCluster();
  postgres = await startPostgres();
});

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

afterAll(async () => {
  if (cluster.available) await cluster.stop();
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("what was acknowledged is there, and the failure policy holds", () => {
  test.for([
    ["is gone", "crash", "restart", 5000],
    ["says nothing", "freeze", "thaw", webhookMilliseconds],
  ] as const)("PostgreSQL %s for 30 seconds", async ([, away, back, within], { skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    if (postgres === undefined) return skip("PostgreSQL is not installed");
    const environment = { DATABASE_URL: await postgres.create() };
    const castellan = await serve(join(directory, `postgres-${away}`), policies, environment);
    expect((await create("ConfigMap")).code).toBe(0);
    await postgres[away]();
    const strict: Timed[] = [];
    const lenient: Timed[] = [];
    const reads: Timed[] = [];
    try {
      await Promise.all([
        during(outageMilliseconds, strict, () => create("ConfigMap")),
        during(outageMilliseconds, lenient, () => create("Secret", {})),
        during(outageMilliseconds, reads, () => kubectl(running(), ["get", "configmaps"])),
      ]);
      expect(await castellan.metrics()).toMatch(/castellan_admission_reviews_total\{stage="validate",outcome="error"\} [1-9]/);
    } finally {
      await postgres[back]();
    }
    expect(
      strict.map(({ code, text }) => (code === 1 ? text : "let through")).filter((text) => !refusedByFailure.test(text)),
    ).toEqual([]);
    expect([...lenient, ...reads].filter(({ code }) => code !== 0)).toEqual([]);
    const slowest = Math.max(...[...strict, ...lenient, ...reads].map(({ milliseconds }) => milliseconds));
    expect(slowest).toBeLessThan(within);
    for (const all of [strict, lenient, reads]) expect(all.length).toBeGreaterThan(1);
    await castellan.until(async () => (await create("ConfigMap")).code === 0);
    await castellan.until(async () => (await create("Secret", {})).text.includes("label team is required"));
    await expectEvidence(castellan);
  });

  test("the disk is full", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const disk = join(directory, "disk");
    await mkdir(disk);
    const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]).catch(() => undefined);
    if (mounted === undefined) return skip("mounting is refused");
    try {
      const castellan = await serve(join(disk, "data"));
      expect((await create("ConfigMap")).code).toBe(0);
      const ballast = join(disk, "ballast");
      await run("dd", ["if=/dev/zero", `of=${ballast}`, "bs=4096"]).catch(() => {});
      let refused = await create("ConfigMap");
      // The journal may have room left for a few.
      for (let tries = 0; refused.code === 0 && tries < 60; tries++) refused = await create("ConfigMap");
      expect(refused.text).toContain("failed calling webhook");
      expect(refused.text).toMatch(/full/);
      expect((await create("Secret", {})).code).toBe(0);
      await rm(ballast);
      await castellan.until(async () => (await create("ConfigMap")).code === 0);
      await expectEvidence(castellan);
      await castellan.stop();
    } finally {
      await server?.stop();
      await run("umount", [disk]);
    }
  });

  test("the API server is restarted: what it says is followed again", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const castellan = await serve(join(directory, "restarted"));
    expect((await create("ConfigMap")).code).toBe(0);
    await cluster.restartApiServer();
    expect((await create("ConfigMap")).code).toBe(0);
    expect((await create("ConfigMap", {})).text).toContain("label team is required");
    await kubectl(cluster, ["create", "namespace", "later"]);
    await kubectl(cluster, ["label", "namespace", "later", "castellan.dev/break-glass=x"]);
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "bad", namespace: "later" } };
    const spec = { containers: [{ name: "c", image: "busybox", securityContext: { privileged: true } }] };
    await kubectl(cluster, ["create", "-f", "-"], JSON.stringify({ ...pod, spec }));
    const opened = () => castellan.run("audit", "query", "--kind", "finding.opened", "--name", "bad");
    await castellan.until(async () => (await opened()).text.includes("later"));
    await expectEvidence(castellan);
  });

  test("the certificate and its authority are replaced while it serves", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const data = join(directory, "rotated");
    const castellan = await serve(data);
    let going = true;
    const failures: string[] = [];
    const load = (async () => {
      while (going) {
        const { code, text } = await create("ConfigMap");
        if (code !== 0) failures.push(text);
      }
    })();
    const tls = (name: string) => join(data, "tls", name);
    const older = await readFile(tls("authority.pem"), "utf8");
    const authority = await createAuthority("Castellan", Date.now(), 365);
    const next = await issueServerCertificate(authority, { dns: [], ips: ["127.0.0.1"] }, Date.now(), 30);
    for (const [name, text] of [
      ["older-authority.pem", older],
      ["authority-key.pem", authority.key],
      ["authority.pem", authority.certificate],
      ["server-key.pem", next.key],
      ["server.pem", next.certificate],
    ] as const)
      await writeFile(tls(name), text);
    const bundle = async () =>
      (await kubectl(running(), ["get", "validatingwebhookconfiguration", "castellan", "-o", "json"])).text;
    const before = JSON.parse(await bundle()).webhooks[0].clientConfig.caBundle;
    castellan.signal("SIGHUP");
    await castellan.until(async () => JSON.parse(await bundle()).webhooks[0].clientConfig.caBundle !== before);
    await castellan.until(async () => (await castellan.certificate()).includes(next.certificate.split("\n")[1] ?? "?"));
    await sleep(1000);
    going = false;
    await load;
    expect(failures).toEqual([]);
    expect((await create("ConfigMap", {})).text).toContain("label team is required");
    await expectEvidence(castellan);
  });

  test("a thousand policies are broken: the others hold", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const broken = Array.from({ length: 1000 }, (_, n) => policy(`broken-${n}`, "Pod", "", "patternz: {}"));
    const castellan = await serve(join(directory, "broken"), [policies, ...broken].join("---"));
    expect((await create("ConfigMap")).code).toBe(0);
    expect(await castellan.metrics()).toMatch(/castellan_policies\{cluster="\w+",state="broken"\} 1000/);
    await expectEvidence(castellan);
  });

  test("an object of 3 MB is judged", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const castellan = await serve(join(directory, "large"));
    expect((await create("ConfigMap")).code).toBe(0);
    const data = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`k${n}`, "x".repeat(1024)]));
    const review = (labels: object) => {
      const large = (own: object) => {
        const metadata = { name: "large", namespace: "default", labels: own };
        return { apiVersion: "v1", kind: "ConfigMap", metadata, data };
      };
      const kind = { group: "", version: "v1", kind: "ConfigMap" };
      const resource = { group: "", version: "v1", resource: "configmaps" };
      const about = { name: "large", namespace: "default", operation: "UPDATE", userInfo: { username: "ada" }, kind, resource };
      const request = { uid: "u", ...about, object: large(labels), oldObject: large({ team: "x" }) };
      return castellan.review({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
    };
    const allowed = await review({ team: "x" });
    expect(allowed.status).toBe(200);
    expect(JSON.parse(allowed.text).response.allowed).toBe(true);
    const denied = JSON.parse((await review({})).text).response;
    expect(denied).toMatchObject({ allowed: false, status: { message: expect.stringContaining("label team is required") } });
    await expectEvidence(castellan);
  });

  test("objects as large as the API server takes go through it", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "archives.example.test" },
      spec: {
        group: "example.test",
        names: { kind: "Archive", plural: "archives", singular: "archive" },
        scope: "Namespaced",
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: openSchema } }],
      },
    };
    expect((await kubectl(running(), ["apply", "-f", "-"], JSON.stringify(definition))).code).toBe(0);
    await kubectl(running(), ["wait", "--for=condition=Established", "crd/archives.example.test", "--timeout=60s"]);
    const castellan = await serve(join(directory, "through"), [policies, policy("archives", "Archive")].join("---"));
    expect((await create("ConfigMap")).code).toBe(0);
    /** What the API server says about one with so many bytes. */
    const send = (args: readonly string[], name: string, bytes: number, labels: object): Promise<Ran> => {
      const metadata = { name, namespace: "default", labels };
      const object = { apiVersion: "example.test/v1", kind: "Archive", metadata, data: "x".repeat(bytes) };
      return kubectl(running(), [...args, "-f", "-"], JSON.stringify(object));
    };
    await castellan.until(async () => (await send(["create"], "small", 1, {})).text.includes("label team is required"));
    // What etcd keeps is at most 1.5 MiB, and an update sends it to us twice; a dry run is as large as a request may be, 3 MiB.
    const [stored, sent] = [1_480_000, 3_100_000];
    const cases: readonly (readonly [readonly string[], string, number, object, RegExp])[] = [
      [["create"], "stored", stored, {}, /label team is required/],
      [["create"], "stored", stored, { team: "x" }, /created/],
      [["replace"], "stored", stored, {}, /label team is required/],
      [["replace"], "stored", stored, { team: "y" }, /replaced/],
      [["create", "--dry-run=server"], "sent", sent, {}, /label team is required/],
      [["create", "--dry-run=server"], "sent", sent, { team: "x" }, /created \(server dry run\)/],
    ];
    for (const [args, name, bytes, labels, answer] of cases) expect((await send(args, name, bytes, labels)).text).toMatch(answer);
    await expectEvidence(castellan);
  });
});
