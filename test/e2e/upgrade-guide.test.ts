import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, expect, test } from "vitest";
import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../src/core/json.ts";
import { deployed, helmPath, replicated, withoutHelm } from "../chart.ts";
import { type Kubelet, startKubelet } from "../cluster/kubelet.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { type RunningPostgres, startPostgres } from "../database/postgres.ts";
import { ApiServer } from "./api-server.ts";
import { castellan } from "./castellan-server.ts";
import { certManager } from "./cert-manager.ts";

const run = promisify(execFile);
const guide = join(import.meta.dirname, "../../docs/guide/upgrade.md");
const audit = join(import.meta.dirname, "../../examples/ai-platform/recorded/audit.jsonl");
/** Where the guide's pods have their volume. */
const mounted = "/var/lib/castellan";

let directory = "";
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
let server: RunningPostgres | undefined;
afterAll(() => server?.stop());

async function program(at: string, lines: readonly string[]): Promise<void> {
  await writeFile(at, ["#!/bin/bash", ...lines, ""].join("\n"));
  await chmod(at, 0o755);
}

/** The programs of somebody at a machine, and those of the pods, whose volume is one directory of this machine. */
async function makePrograms({ kubectl, kubeconfig }: Cluster): Promise<{ readonly own: string; readonly inPods: string }> {
  const [own, inPods, volume] = ["own", "in-pods", "volume"].map((name) => join(directory, name)) as [string, string, string];
  for (const at of [own, inPods, volume]) await mkdir(at);
  const quiet = `export NODE_NO_WARNINGS=1 PATH=${join(process.execPath, "..")}:$PATH`;
  const kube = `${kubectl} --kubeconfig ${kubeconfig}`;
  await program(join(own, "kubectl"), [`exec ${kube} "$@"`]);
  await program(join(own, "castellan"), [quiet, `exec node ${castellan} "$@"`]);
  await program(join(own, "helm"), [
    `export HELM_CACHE_HOME=${directory} HELM_CONFIG_HOME=${directory} HELM_DATA_HOME=${directory}`,
    `exec ${helmPath()} --kubeconfig ${kubeconfig} "$@"`,
  ]);
  const moved = `args=("\${@//${mounted.replaceAll("/", "\\/")}/${volume.replaceAll("/", "\\/")}}")`;
  await program(join(inPods, "castellan"), [
    quiet,
    moved,
    // As the StatefulSet gives it to the container.
    `url=$(${kube} -n castellan get secret castellan-database --ignore-not-found -o jsonpath={.data.url} | base64 -d)`,
    '[ -z "$url" ] || export DATABASE_URL=$url',
    `exec node ${castellan} "\${args[@]}"`,
  ]);
  await program(join(inPods, "sh"), [moved, `exec /bin/sh "\${args[@]}"`]);
  await program(join(inPods, "tar"), [
    moved,
    `exec /bin/tar "\${args[@]}" --transform "s#^${volume.slice(1)}#${mounted.slice(1)}#"`,
  ]);
  return { own, inPods };
}

/** Takes pods in as a scheduler and a kubelet do: they run at once, are ready, and end when they are asked to. */
function takePodsIn(api: ApiServer): () => Promise<void> {
  let goes = true;
  const path = "/api/v1/namespaces/castellan/pods";
  const going = (async () => {
    for (; goes; await sleep(100)) {
      const { body } = await api.send("GET", path);
      for (const pod of listed(body["items"])) await takeIn(api, path, pod);
    }
  })();
  return async () => {
    goes = false;
    await going;
  };
}

const listed = (value: JsonValue | undefined): readonly JsonObject[] => (isArray(value) ? value.filter(isObject) : []);

async function takeIn(api: ApiServer, path: string, pod: JsonObject): Promise<void> {
  const name = String(member(pod["metadata"], "name"));
  if (member(pod["metadata"], "deletionTimestamp") !== undefined) {
    await api.send("DELETE", `${path}/${name}?gracePeriodSeconds=0`);
    return;
  }
  if (member(pod["spec"], "nodeName") === undefined) {
    const target = { apiVersion: "v1", kind: "Node", name: "node-1" };
    await api.create(`${path}/${name}/binding`, { apiVersion: "v1", kind: "Binding", metadata: { name }, target });
    return;
  }
  if (member(pod["status"], "phase") === "Running") return;
  const conditions = ["Ready", "ContainersReady", "Initialized", "PodScheduled"].map((type) => ({ type, status: "True" }));
  const state = { running: { startedAt: new Date().toISOString() } };
  const containerStatuses = listed(member(pod["spec"], "containers")).map((container) => ({
    name: String(container["name"]),
    image: String(container["image"]),
    imageID: "",
    ready: true,
    restartCount: 0,
    state,
  }));
  await api.send("PUT", `${path}/${name}/status`, { ...pod, status: { phase: "Running", conditions, containerStatuses } });
}

/** The guide's commands for one way of running it, in order. */
async function blocksFor(way: string): Promise<readonly string[]> {
  const text = await readFile(guide, "utf8");
  return [...text.matchAll(/^```sh ?(.*)\n([\s\S]*?)^```$/gm)].flatMap(([, kind, block = ""]) =>
    kind === "" || kind === way ? [block] : [],
  );
}

async function startNode(cluster: Cluster, inPods: string): Promise<Kubelet> {
  const before = process.env["PATH"];
  process.env["PATH"] = `${inPods}:${before}`;
  try {
    const kubelet = await startKubelet(cluster);
    if (!kubelet.available) throw new Error(kubelet.reason);
    return kubelet;
  } finally {
    process.env["PATH"] = before;
  }
}

test.for([
  { way: "one-server", values: [] },
  { way: "several-replicas", values: ["--set", replicated] },
])("every command of the guide does what it says: $way", { timeout: 300_000 }, async ({ way, values }, { skip }) => {
  if (withoutHelm !== undefined) skip(withoutHelm);
  const isShared = way === "several-replicas";
  if (isShared) server = await startPostgres();
  if (isShared && server === undefined) skip("PostgreSQL is not installed");
  directory = await mkdtemp(join(tmpdir(), "castellan-upgrade-guide-"));
  closing.push(() => rm(directory, { recursive: true, force: true }));
  const cluster = await startCluster({ controllerManager: true, kubelet: true });
  if (!cluster.available) return skip(cluster.reason);
  closing.push(() => cluster.stop());
  const { own, inPods } = await makePrograms(cluster);
  const kubelet = await startNode(cluster, inPods);
  closing.push(() => kubelet.stop());
  const api = new ApiServer(cluster);
  closing.push(async () => api.close());
  closing.push(takePodsIn(api));

  const work = join(directory, "work");
  await cp(deployed, join(work, "deploy"), { recursive: true });
  const about = join(work, "deploy/helm/castellan/Chart.yaml");
  // The API server that `go build` makes does not know its version.
  await writeFile(about, (await readFile(about, "utf8")).replace(/^kubeVersion: .*$/m, ""));
  const [url, next] = isShared ? [await server?.create(), await server?.create()] : [];
  const env = { ...process.env, PATH: `${own}:${process.env["PATH"]}`, NEW_DATABASE_URL: next };
  const shell = async (script: string, more: NodeJS.ProcessEnv = {}) => {
    const done = run("/bin/sh", ["-euc", script], { cwd: work, env: { ...env, ...more }, timeout: 100_000 });
    return done.then(
      ({ stdout, stderr }) => stdout + stderr,
      (error: { stdout: string; stderr: string }) => {
        throw new Error(`${script}\n${error.stdout}${error.stderr}`);
      },
    );
  };

  for (const definition of certManager) await shell(`kubectl apply -f - <<'EOF'\n${JSON.stringify(definition)}\nEOF`);
  await shell(
    "kubectl create namespace castellan; kubectl label namespace castellan pod-security.kubernetes.io/enforce=restricted",
  );
  const volume = join(directory, "volume");
  const key = isShared ? `--ledger-key ${join(work, "ledger-key.pem")}` : "";
  if (isShared) {
    await shell(`openssl genpkey -algorithm ed25519 -out ledger-key.pem && openssl rand -base64 32 > audit-token
      kubectl -n castellan create secret generic castellan-keys --from-file=ledger-key.pem --from-file=audit-token
      kubectl -n castellan create secret generic castellan-database --from-literal=url='${url}'`);
  }
  const ingest = `castellan audit ingest ${audit} --cluster c --data ${volume} ${key}`;
  await shell(ingest, url === undefined ? {} : { DATABASE_URL: url });
  await shell(`helm install castellan deploy/helm/castellan -n castellan ${values.join(" ")}
    kubectl -n castellan rollout status statefulset/castellan --timeout=2m`);

  const blocks = await blocksFor(way);
  expect(blocks).toHaveLength(8);
  const said: string[] = [];
  for (const block of blocks) said.push(await shell(block));
  const [before = "", , upgrade = "", after = "", ...back] = said;
  expect(before.match(/verified: \d+ records/g)).toHaveLength(2);
  expect(before).toMatch(/\d+ records, verified/);
  expect(upgrade).toMatch(/rolling update complete|partitioned roll out complete|roll out complete/);
  expect(after).toMatch(/verified: \d+ records/);
  expect(back.join("")).toMatch(/[1-9]\d* records, verified/);
  expect(back.at(-1)).toMatch(/\nverified: [1-9]\d* records/);
  if (isShared) return;
  expect(await shell(`ls ${volume}/newer`)).toContain("castellan.db");
});
