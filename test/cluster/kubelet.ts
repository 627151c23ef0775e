import { spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ApiServer } from "../e2e/api-server.ts";
import { kubeletBinary, type NotAvailable } from "./binaries.ts";
import type { Cluster } from "./start.ts";

const node = "node-1";

/** A node whose pods are directories of this machine, in which commands run. */
export interface Kubelet {
  readonly available: true;
  /** A running pod with one container, `main`. Answers the directory in which its commands run. */
  runPod(namespace: string, name: string): Promise<string>;
  /** Appends to the container's log. */
  log(namespace: string, pod: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a kubelet and its Node in a cluster that was started with `kubelet`. */
export async function startKubelet(cluster: Cluster): Promise<Kubelet | NotAvailable> {
  const files = cluster.kubeletCertificates;
  if (files === undefined) throw new Error("the cluster was started without `kubelet`");
  const binary = await kubeletBinary();
  if (!binary.available) return binary;
  const root = await mkdtemp(join(tmpdir(), "castellan-kubelet-"));
  const flags = [
    `--root=${root}`,
    `--tls-cert-file=${files.certificate}`,
    `--tls-private-key-file=${files.key}`,
    `--client-ca-file=${files.clientCertificate}`,
  ];
  const child = spawn(binary.path("kubelet"), flags, { stdio: ["ignore", "pipe", "ignore"] });
  const port = await new Promise<number>((done, failed) => {
    child.once("exit", (code) => failed(new Error(`the kubelet ended with ${code}`)));
    createInterface({ input: child.stdout }).once("line", (line) => done(Number(line)));
  });
  const api = new ApiServer(cluster);
  const created = await api.create("/api/v1/nodes", {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: node },
    status: {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      conditions: [{ type: "Ready", status: "True" }],
    },
  });
  if (created.status !== 201) throw new Error(`no node: ${JSON.stringify(created.body)}`);
  return {
    available: true,
    async runPod(namespace, name) {
      const path = `/api/v1/namespaces/${namespace}/pods`;
      const metadata = { name, namespace };
      const container = { name: "main", image: "registry.example/main:1" };
      const spec = { nodeName: node, containers: [container], automountServiceAccountToken: false };
      const pod = await api.create(path, { apiVersion: "v1", kind: "Pod", metadata, spec });
      if (pod.status !== 201) throw new Error(`no pod: ${JSON.stringify(pod.body)}`);
      const state = { running: { startedAt: new Date().toISOString() } };
      const statuses = [{ name: "main", image: container.image, imageID: "", ready: true, restartCount: 0, state }];
      const status = { phase: "Running", containerStatuses: statuses };
      const running = await api.send("PUT", `${path}/${name}/status`, { ...pod.body, status });
      if (running.status !== 200) throw new Error(`not running: ${JSON.stringify(running.body)}`);
      const directory = join(root, namespace, name);
      await mkdir(directory, { recursive: true });
      await appendFile(join(directory, ".log"), "");
      return directory;
    },
    log: (namespace, pod, text) => appendFile(join(root, namespace, pod, ".log"), text),
    async stop() {
      api.close();
      const gone = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await gone;
      await rm(root, { recursive: true, force: true });
    },
  };
}
