import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Agent } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthority, createOwnCertificate, issueServerCertificate, type KeyPair } from "../../src/adapters/certificates.ts";
import { listenForReviews } from "../../src/server/webhook/webhook.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";
import { configMap, requireTeam } from "./require-team.ts";

/** A request that nobody made. */
const invented = {
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: {
    uid: "invented",
    kind: { group: "", version: "v1", kind: "ConfigMap" },
    resource: { group: "", version: "v1", resource: "configmaps" },
    name: "invented",
    namespace: "default",
    operation: "CREATE",
    userInfo: { username: "system:admin", groups: [] },
    object: JSON.parse(configMap("invented")),
  },
};

let cluster: Cluster | NotAvailable;
let directory = "";
let client: KeyPair;
let stranger: KeyPair;
let server: CastellanServer;

/** What the webhook answers to a caller of our own. */
async function call(path: string, shown?: KeyPair): Promise<{ readonly status: number; readonly text: string }> {
  const certificate = shown === undefined ? {} : { cert: shown.certificate, key: shown.key };
  const agent = new Agent({ connect: { rejectUnauthorized: false, ...certificate } });
  try {
    const body = JSON.stringify(invented);
    const answer = await agent.request({ origin: `https://${server.webhook}`, path, method: "POST", body });
    return { status: answer.statusCode, text: await answer.body.text() };
  } finally {
    await agent.close();
  }
}

const registeredPath = () => server.callPath("/validate/deny");

async function serve(...flags: readonly string[]): Promise<void> {
  await server?.stop();
  if (!cluster.available) return;
  const all = ["--kubeconfig", cluster.kubeconfig, "--policies", join(directory, "policy.yaml"), ...flags];
  server = new CastellanServer(join(directory, "data"), all, {}, server?.webhook);
  await server.start();
}

const namesInLedger = async () => (await server.run("audit", "query", "--kind", "admission.decision", "-o", "json")).text;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-callers-"));
  const file = async (name: string, text: string) => {
    await writeFile(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  client = await createOwnCertificate("kube-apiserver", Date.now(), 1);
  stranger = await createOwnCertificate("kubelet", Date.now(), 1);
  await file("policy.yaml", requireTeam);
  await file("client-ca.pem", `${client.certificate}\n${stranger.certificate}`);
  const user = {
    "client-certificate": await file("client.pem", client.certificate),
    "client-key": await file("client-key.pem", client.key),
  };
  const kubeConfigFile = await file(
    "webhooks.yaml",
    JSON.stringify({ apiVersion: "v1", kind: "Config", users: [{ name: "*", user }] }),
  );
  const configuration = { apiVersion: "apiserver.config.k8s.io/v1", kind: "WebhookAdmissionConfiguration", kubeConfigFile };
  const admission = await file(
    "admission.yaml",
    JSON.stringify({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "AdmissionConfiguration",
      plugins: ["ValidatingAdmissionWebhook", "MutatingAdmissionWebhook"].map((name) => ({ name, configuration })),
    }),
  );
  cluster = await startCluster({ apiServerFlags: [`--admission-control-config-file=${admission}`] });
});

afterAll(async () => {
  await server?.stop();
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("who may ask the webhook", () => {
  test("without any set-up: the API server, by the key in its paths, and nobody who merely reaches us", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    await serve();
    const denied = await kubectl(cluster, ["apply", "-f", "-"], configMap("asked-for"));
    expect(denied.text).toContain("label team is required");
    for (const path of ["/validate/deny", `/${"A".repeat(43)}/validate/deny`, "/policies"])
      expect(await call(path)).toEqual({ status: 404, text: "there is no such webhook" });
    const records = await namesInLedger();
    expect(records).toContain("asked-for");
    expect(records).not.toContain("invented");
    expect(await server.metrics()).toContain('castellan_webhook_refused_total{reason="key"} 3');
    expect(server.output.match(/refused at the webhook/g)).toHaveLength(1);
  });

  test("with --webhook-client-ca: the API server by its certificate, and nobody by the key alone", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const names = ["kube-apiserver", "kube-apiserver-2"].flatMap((name) => ["--webhook-client-name", name]);
    await serve("--webhook-client-ca", join(directory, "client-ca.pem"), ...names);
    const denied = await kubectl(cluster, ["apply", "-f", "-"], configMap("certified"));
    expect(denied.text).toContain("label team is required");
    const path = await registeredPath();
    const unknown = await createOwnCertificate("kube-apiserver", Date.now(), 1);
    for (const shown of [undefined, unknown, stranger]) expect(await call(path, shown)).toMatchObject({ status: 401 });
    expect(await call(path, client)).toMatchObject({ status: 200, text: expect.stringContaining("label team is required") });
    expect(await call("/validate/deny", client)).toMatchObject({ status: 404 });
    expect(await server.metrics()).toContain('castellan_webhook_refused_total{reason="certificate"} 3');
  });

  test("an authority that comes later is trusted after SIGHUP", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const next = await createOwnCertificate("kube-apiserver-2", Date.now(), 1);
    const path = await registeredPath();
    expect(await call(path, next)).toMatchObject({ status: 401 });
    await writeFile(join(directory, "client-ca.pem"), `${client.certificate}\n${next.certificate}`);
    server.signal("SIGHUP");
    await server.until(async () => (await call(path, next)).status === 200);
    expect(await call(path, client)).toMatchObject({ status: 200 });
  });
});

test("connections that prove nothing are few for each address, and others are taken all the same", async () => {
  const authority = await createAuthority("test", Date.now(), 1);
  const identity = await issueServerCertificate(authority, { dns: [], ips: ["127.0.0.1"] }, Date.now(), 1);
  const refused: string[] = [];
  const webhook = await listenForReviews({
    host: "127.0.0.1",
    port: 0,
    identity,
    callers: {
      open: (path) => (path.startsWith("/key/") ? path.slice(4) : undefined),
      onRefused: (why) => refused.push(why),
      strangers: 3,
    },
    batches: { isAuthorized: () => false, handlers: new Map() },
    handle: async () => ({ answered: true }),
    onError: () => {},
  });
  const sockets: Socket[] = [];
  const open = async () => {
    const socket = connect({ host: "127.0.0.1", port: webhook.port, rejectUnauthorized: false });
    socket.on("error", () => {});
    sockets.push(socket);
    await new Promise((settled) => socket.once("secureConnect", settled).once("close", settled));
    return socket;
  };
  try {
    const known = await open();
    known.write("POST /key/validate/deny HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}");
    expect(String((await once(known, "data"))[0])).toContain("200 OK");
    const strangers = [await open(), await open(), await open(), await open()];
    expect(strangers.map(({ destroyed }) => destroyed)).toEqual([false, false, false, true]);
    expect(refused).toEqual(["connections"]);
    known.write("POST /key/validate/deny HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}");
    expect(String((await once(known, "data"))[0])).toContain("200 OK");
  } finally {
    for (const socket of sockets) socket.destroy();
    await webhook.close();
  }
});
