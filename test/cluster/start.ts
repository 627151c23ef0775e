import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Binaries, controlPlaneBinaries, type NotAvailable } from "./binaries.ts";
import { type KubeletCertificates, kubeletCertificates, kubeletFlags } from "./kubelet-certificates.ts";

/** Users that every cluster starts with; tokens are their names. */
const users = [
  { name: "admin", groups: ["system:masters"] },
  { name: "alice", groups: ["developers"] },
  { name: "bob", groups: [] },
] as const;

export type ClusterUser = (typeof users)[number]["name"];

export interface Cluster {
  readonly available: true;
  /** `https://127.0.0.1:<port>` */
  readonly server: string;
  /** The certificate authority of the server's certificate, PEM. */
  readonly authority: string;
  /** Where kubectl is, of the server's version. */
  readonly kubectl: string;
  /** A kubeconfig file with one context for each user, named as the user; `admin` is current. */
  readonly kubeconfig: string;
  /** What `startKubelet` needs; undefined where the cluster was started without `kubelet`. */
  readonly kubeletCertificates: KubeletCertificates | undefined;
  token(user: ClusterUser): string;
  /** Ends the API server and starts it again at the same address, with everything that etcd has. */
  restartApiServer(): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** Starts the controller manager as well: quota status, aggregated roles, namespace deletion, garbage collection. */
  readonly controllerManager?: boolean;
  /** The API server can talk to kubelets that `startKubelet` starts. */
  readonly kubelet?: boolean;
  readonly apiServerFlags?: readonly string[];
}

const readyWithinMilliseconds = 120_000;

/** Starts etcd and kube-apiserver on free loopback ports; ready in a few seconds, some 350 MB. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster | NotAvailable> {
  const programs = ["etcd", "kube-apiserver", "kubectl"] as const;
  const binaries = await controlPlaneBinaries(
    options.controllerManager === true ? [...programs, "kube-controller-manager"] : programs,
  );
  if (!binaries.available) return binaries;
  const directory = await mkdtemp(join(tmpdir(), "castellan-cluster-"));
  const children: ChildProcess[] = [];
  const stop = async () => {
    // The API server first, or it waits for etcd.
    for (const child of children.toReversed()) await end(child);
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    return await start(binaries, directory, children, stop, options);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  binaries: Binaries,
  directory: string,
  children: ChildProcess[],
  stop: () => Promise<void>,
  options: ClusterOptions,
): Promise<Cluster> {
  const [clientPort, peerPort, serverPort] = await freePorts(3);
  const server = `https://127.0.0.1:${serverPort}`;
  const etcd = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const path = (name: string) => join(directory, name);
  await writeFile(path("tokens.csv"), users.map((u) => `${u.name}-token,${u.name},${u.name},"${u.groups.join(",")}"\n`).join(""));
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(path("sa.key"), keys.privateKey.export({ type: "pkcs1", format: "pem" }));
  await writeFile(path("sa.pub"), keys.publicKey.export({ type: "spki", format: "pem" }));

  const launch = (program: Parameters<Binaries["path"]>[0], args: readonly string[]) => {
    const child = spawn(binaries.path(program), args, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
    // Read, or the program stops once the pipe is full.
    child.stderr.resume();
    children.push(child);
    return child;
  };
  launch("etcd", [
    `--data-dir=${path("etcd")}`,
    `--listen-client-urls=${etcd}`,
    `--advertise-client-urls=${etcd}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    "--unsafe-no-fsync",
    "--log-level=error",
  ]);
  const certificates = options.kubelet === true ? await kubeletCertificates(directory) : undefined;
  const apiServerArguments = [
    `--etcd-servers=${etcd}`,
    `--secure-port=${serverPort}`,
    "--bind-address=127.0.0.1",
    "--service-cluster-ip-range=10.0.0.0/24",
    `--cert-dir=${path("certificates")}`,
    `--token-auth-file=${path("tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${path("sa.pub")}`,
    `--service-account-signing-key-file=${path("sa.key")}`,
    ...(options.controllerManager === true ? [] : ["--disable-admission-plugins=ServiceAccount"]),
    "--allow-privileged=true",
    "--v=0",
    ...(certificates === undefined ? [] : kubeletFlags(certificates)),
    ...(options.apiServerFlags ?? []),
  ];
  let apiServer = launch("kube-apiserver", apiServerArguments);
  await untilReady(server, apiServer);
  const authority = await readFile(join(path("certificates"), "apiserver.crt"), "utf8");
  await writeFile(path("kubeconfig"), kubeconfig(server, authority), { mode: 0o600 });
  if (options.controllerManager === true) {
    launch("kube-controller-manager", [
      `--kubeconfig=${path("kubeconfig")}`,
      `--service-account-private-key-file=${path("sa.key")}`,
      "--use-service-account-credentials=false",
      "--leader-elect=false",
      "--secure-port=0",
      "--v=0",
    ]);
  }
  return {
    available: true,
    server,
    authority,
    kubectl: binaries.path("kubectl"),
    kubeconfig: path("kubeconfig"),
    kubeletCertificates: certificates,
    token: (user) => `${user}-token`,
    async restartApiServer() {
      await end(apiServer);
      children.splice(children.indexOf(apiServer), 1);
      apiServer = launch("kube-apiserver", apiServerArguments);
      await untilReady(server, apiServer);
    },
    stop,
  };
}

/** JSON is YAML. The server's self-signed certificate is its own authority. */
function kubeconfig(server: string, authority: string): string {
  const data = Buffer.from(authority).toString("base64");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "local", cluster: { server, "certificate-authority-data": data } }],
    users: users.map(({ name }) => ({ name, user: { token: `${name}-token` } })),
    contexts: users.map(({ name }) => ({ name, context: { cluster: "local", user: name } })),
    "current-context": "admin",
  });
}

async function untilReady(server: string, child: ChildProcess): Promise<void> {
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  const deadline = performance.now() + readyWithinMilliseconds;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`kube-apiserver ended with ${child.exitCode}: ${errors}`);
    if (await answersReady(server)) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`kube-apiserver was not ready within ${readyWithinMilliseconds / 1000} s: ${errors}`);
}

function answersReady(server: string): Promise<boolean> {
  return new Promise((done) => {
    const headers = { authorization: "Bearer admin-token" };
    get(`${server}/readyz`, { headers, rejectUnauthorized: false }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    }).on("error", () => done(false));
  });
}

/** Ports of loopback that nobody uses at the moment. */
/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((done, fail) => {
          server.on("error", fail).listen(0, "127.0.0.1", () => {
            const address = server.address();
            if (typeof address === "object" && address !== null) done(address.port);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
    child.once("exit", () => {
      clearTimeout(kill);
      done();
    });
    child.kill("SIGTERM");
  });
}
