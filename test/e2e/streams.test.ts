import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { verifyStoredLedger } from "../../src/adapters/store/ledger-verification.ts";
import { keysOf, openSigner, verifyEd25519 } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { webSocketFrame } from "../../src/server/gateway/stream/frames.testing.ts";
import { tapOpener } from "../../src/server/gateway/stream/open-tap.ts";
import { WebSocketFrames } from "../../src/server/gateway/stream/websocket-frames.ts";
import type { Recording } from "../../src/services/access/recording/about.ts";
import { Recordings } from "../../src/services/access/recordings.ts";
import { type Kubelet, startKubelet } from "../cluster/kubelet.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { accessAs, asAdmin, GatewayStand, installGatewayRoles, person } from "./gateway-stand.ts";

let cluster: Cluster | undefined;
let kubelet: Kubelet | undefined;
let stand: GatewayStand;
let store: Store;
let ledger: Ledger;
let recordings: Recordings;
/** Keeps what is typed as well. */
let withInput: GatewayStand;
let directory = "";
let podDirectory = "";
const auditor = person("auditor");

beforeAll(async () => {
  const started = await startCluster({ kubelet: true });
  if (!started.available) return;
  cluster = started;
  const node = await startKubelet(started);
  if (!node.available) return;
  await installGatewayRoles(started);
  await asAdmin(started, ["create", "clusterrolebinding", "alice", "--clusterrole=cluster-admin", "--user=alice@example.com"]);
  for (const line of [
    "clusterrole reader --verb=get --resource=pods",
    "clusterrolebinding carol --clusterrole=reader --user=carol@example.com",
    "clusterrole executor --verb=get,create --resource=pods/exec",
    "clusterrolebinding granted --clusterrole=executor --group=castellan:grant:test",
  ]) {
    await asAdmin(started, ["create", ...line.split(" ")]);
  }
  directory = await mkdtemp(join(tmpdir(), "castellan-streams-"));
  store = await openSqlite(join(directory, "store"));
  ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), Date.now);
  recordings = new Recordings({ store, ledger, now: Date.now });
  await recordings.start();
  const open = async (recordInput: boolean) => {
    const made = new GatewayStand(started, ledger);
    made.people.set("alice", person("alice"));
    made.people.set("carol", person("carol"));
    await made.start(accessAs(started, "bob"), { parts: { openTap: tapOpener({ recordings, recordInput }) } });
    return made;
  };
  stand = await open(false);
  withInput = await open(true);
  podDirectory = await node.runPod("default", "web");
  kubelet = node;
});
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(async () => {
  await stand?.stop();
  await withInput?.stop();
  await recordings?.close();
  await ledger?.close();
  await store?.close();
  await kubelet?.stop();
  await cluster?.stop();
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

async function ended(child: ChildProcess): Promise<Ran> {
  const stdout: Buffer[] = [];
  const stderr: string[] = [];
  child.stdout?.on("data", (part: Buffer) => stdout.push(part));
  child.stderr?.setEncoding("utf8").on("data", (part: string) => stderr.push(part));
  const [code] = await once(child, "close");
  return { code: typeof code === "number" ? code : null, stdout: Buffer.concat(stdout), stderr: stderr.join("") };
}

/** The newest recording, once it is sealed. */
async function sealed(): Promise<Recording & { readonly outcome: NonNullable<Recording["outcome"]> }> {
  return expect
    .poll(() => newest(), { timeout: 10_000 })
    .toMatchObject({ outcome: {} })
    .then(async () => {
      const found = await newest();
      if (found?.outcome === undefined) throw new Error("not sealed");
      return { ...found, outcome: found.outcome };
    });
}

async function newest(): Promise<Recording | undefined> {
  return (await recordings.list({ limit: 1 }))[0];
}

async function shown(id: string): Promise<Buffer> {
  const output = await recordings.output(id, auditor);
  if (!output.ok) throw new Error(output.message);
  const parts: Buffer[] = [];
  for await (const part of output.value) parts.push(part);
  return Buffer.concat(parts);
}

async function cast(id: string): Promise<readonly unknown[]> {
  const lines = await recordings.asciicast(id, auditor);
  if (!lines.ok) throw new Error(lines.message);
  const read: unknown[] = [];
  for await (const line of lines.value) read.push(JSON.parse(line));
  return read;
}

const typed = (lines: readonly unknown[]) =>
  lines
    .filter((line) => Array.isArray(line) && line[1] === "i")
    .map((line) => (Array.isArray(line) ? line[2] : ""))
    .join("");

async function spawnThrough(
  through: GatewayStand,
  websockets: boolean,
  user: string,
  args: readonly string[],
): Promise<ChildProcess> {
  const switches = {
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(websockets),
    KUBECTL_PORT_FORWARD_WEBSOCKETS: String(websockets),
  };
  const env = { ...process.env, ...switches, HOME: directory, KUBECONFIG: await through.kubeconfig(user) };
  const child = spawn(args[0] ?? "", args.slice(1), { env, stdio: ["pipe", "pipe", "pipe"] });
  children.push(child);
  return child;
}

describe.each([
  ["WebSocket", true],
  ["SPDY", false],
] as const)("kubectl through the gateway over %s", (name, websockets) => {
  const start = (...args: string[]) => spawnThrough(stand, websockets, "alice", [cluster?.kubectl ?? "", ...args]);
  const kubectl = async (...args: string[]) => ended(await start(...args));

  test("T26 exec: the recording is what was delivered, and the ledger has its digest", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const ran = await kubectl("exec", "web", "--", "sh", "-c", "echo out; exit 7");
    expect(ran).toMatchObject({ code: 7, stdout: Buffer.from("out\n") });
    const recording = await sealed();
    expect(recording).toMatchObject({ kind: "exec", user: "alice@example.com", pod: "web", container: "main" });
    expect(recording).toMatchObject({ command: ["sh", "-c", "echo out; exit 7"], outcome: { exitCode: 7, bytes: 4 } });
    expect(await shown(recording.id)).toEqual(ran.stdout);
    expect(await recordings.verify(recording.id)).toEqual({ ok: true, digest: recording.outcome.digest });
    const found = await store.db
      .selectFrom("ledger_records")
      .select(["kind", "actor", "resource", "body"])
      .where("body", "like", `%${recording.id}%`)
      .where("outcome", "=", "ended")
      .executeTakeFirstOrThrow();
    expect(found).toMatchObject({ kind: "access.stream", actor: "alice@example.com", resource: "pods/exec" });
    expect(JSON.parse(found.body)).toMatchObject({ data: { digest: recording.outcome.digest, person: { subject: "alice" } } });
  });

  test("T26 exec: megabytes of any bytes", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const bytes = randomBytes(5 << 20);
    await writeFile(join(podDirectory, "bytes"), bytes);
    const ran = await kubectl("exec", "web", "--", "cat", "bytes");
    expect(digest(ran.stdout)).toBe(digest(bytes));
    const recording = await sealed();
    expect(digest(await shown(recording.id))).toBe(digest(bytes));
    expect(recording.outcome).toMatchObject({ bytes: bytes.length, exitCode: 0 });
  });

  test("T60 exec: what is typed is kept only where the switch says so", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    for (const [through, expected] of [
      [stand, ""],
      [withInput, "my password\n"],
    ] as const) {
      const child = await spawnThrough(through, websockets, "alice", [
        cluster?.kubectl ?? "",
        "exec",
        "-i",
        "web",
        "--",
        "sh",
        "-c",
        "wc -c",
      ]);
      child.stdin?.end("my password\n");
      expect((await ended(child)).stdout.toString().trim()).toBe("12");
      expect(typed(await cast((await sealed()).id))).toBe(expected);
    }
  });

  test("exec with a terminal: its size, its changes, and what it showed", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const inner = `stty cols 132 rows 43; ${cluster?.kubectl} exec -it web -- sh -c 'sleep 0.5; stty size; echo "grün 🚀"'`;
    const ran = await ended(await spawnThrough(stand, websockets, "alice", ["script", "-qec", inner, "/dev/null"]));
    expect(ran.stdout.toString()).toContain("43 132\r\ngrün 🚀\r\n");
    const recording = await sealed();
    const [header, ...events] = await cast(recording.id);
    expect(header).toMatchObject({ version: 2, width: 132, height: 43 });
    const text = events.map((event) => (Array.isArray(event) && event[1] === "o" ? event[2] : "")).join("");
    expect(text).toBe("43 132\r\ngrün 🚀\r\n");
  });

  test("T27 attach is recorded", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const child = await start("attach", "-i", "web");
    child.stdin?.end("hello\n");
    const ran = await ended(child);
    expect(ran.stdout.toString()).toBe("attached\nhello\n");
    const recording = await sealed();
    expect(recording.kind).toBe("attach");
    expect(await shown(recording.id)).toEqual(ran.stdout);
  });

  test("T27 debug, which attaches to a new container, is recorded", async ({ skip }) => {
    if (cluster === undefined || kubelet === undefined) return skip("no kubelet");
    const container = `debugger-${websockets ? "ws" : "spdy"}`;
    const child = await start("debug", "-i", "web", "--image=registry.example/debug:1", "-c", container, "--", "sh");
    const ran = ended(child);
    const pod = async () => (await stand.ask("alice", "GET", "/api/v1/namespaces/default/pods/web")).body;
    await expect.poll(pod, { timeout: 10_000 }).toContain(`"name":"${container}"`);
    const state = { running: { startedAt: new Date().toISOString() } };
    const statuses = [{ name: container, image: "", imageID: "", ready: true, restartCount: 0, state }];
    const patch = JSON.stringify({ status: { ephemeralContainerStatuses: statuses } });
    await asAdmin(cluster, ["patch", "pod", "web", "--subresource=status", "--type=merge", "-p", patch]);
    child.stdin?.end("hello\n");
    expect((await ran).stdout.toString()).toContain("attached\nhello\n");
    const recording = await sealed();
    expect(recording).toMatchObject({ kind: "attach", container });
    expect((await shown(recording.id)).toString()).toBe("attached\nhello\n");
  });

  test("T27 cp is recorded both ways", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const [here, there] = [join(directory, `up-${name}`), `copy-${name}`];
    const content = randomBytes(300_000);
    await writeFile(here, content);
    expect(await kubectl("cp", here, `web:${there}`)).toMatchObject({ code: 0 });
    expect(digest(await readFile(join(podDirectory, there)))).toBe(digest(content));
    expect(await sealed()).toMatchObject({ command: ["tar", "-xmf", "-", "-C", "."] });
    expect(await kubectl("cp", `web:${there}`, `${here}-back`)).toMatchObject({ code: 0 });
    expect(digest(await readFile(`${here}-back`))).toBe(digest(content));
    const recording = await sealed();
    expect(recording.command).toEqual(["tar", "cf", "-", there]);
    expect((await shown(recording.id)).includes(content.subarray(0, 1000))).toBe(true);
  });

  test("T27 port-forward: who, which ports, how much", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const target = await listening((socket) => socket.end("from the port\n"));
    const child = await start("port-forward", "web", `:${target.port}`);
    const local = await forwardedPort(child);
    for (let i = 0; i < 2; i++) expect(await readFrom(local)).toBe("from the port\n");
    child.kill("SIGINT");
    await once(child, "close");
    target.server.close();
    const recording = await sealed();
    expect(recording).toMatchObject({ kind: "portforward", outcome: { ports: { [target.port]: 2 }, chunks: 0 } });
    expect(recording.outcome.carried?.out).toBe(2 * "from the port\n".length);
  });

  test("logs -f streams", async ({ skip }) => {
    if (kubelet === undefined) return skip("no kubelet");
    await kubelet.log("default", "web", `first ${name}\n`);
    const child = await start("logs", "-f", "web");
    const seen: string[] = [];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => seen.push(text));
    await expect.poll(() => seen.join("")).toContain(`first ${name}\n`);
    await kubelet.log("default", "web", `second ${name}\n`);
    await expect.poll(() => seen.join("")).toContain(`second ${name}\n`);
  });

  test("T28 the recorder fails in the middle: cut, with nothing shown that was not kept", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const child = await start("exec", "web", "--", "sh", "-c", "i=0; while sleep 0.05; do i=$((i+1)); echo line $i; done");
    const ran = ended(child);
    await once(child.stdout ?? child, "data");
    const mend = await breakWrites();
    const { code, stdout, stderr } = await ran;
    await mend();
    expect(code).toBe(1);
    expect(stderr).toContain("the session was ended: the session can no longer be recorded");
    const recording = await sealed();
    expect(recording.outcome.why).toContain("disk full");
    expect(await recordings.verify(recording.id)).toMatchObject({ ok: true });
    expect((await shown(recording.id)).toString().startsWith(stdout.toString())).toBe(true);
  });

  test("T28 the recorder fails at the start: not begun", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const mend = await breakWrites();
    const marker = `touched-${name}`;
    const ran = await kubectl("exec", "web", "--", "touch", marker);
    await mend();
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain("cannot be recorded now");
    await expect(readFile(join(podDirectory, marker))).rejects.toThrow("ENOENT");
  });

  test("T43 a grant that ends cuts the session within a second, and the recording says why", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    stand.desk.offers = true;
    const refused = await ended(
      await spawnThrough(stand, websockets, "carol", [cluster?.kubectl ?? "", "exec", "web", "-c", "main", "--", "true"]),
    );
    expect(refused.code).not.toBe(0);
    const id = [...stand.desk.requests.keys()].at(-1) ?? "";
    const until = Date.now() + 2500;
    stand.desk.grant(id, "carol", 2500);
    const child = await spawnThrough(stand, websockets, "carol", [
      cluster?.kubectl ?? "",
      "exec",
      "web",
      "-c",
      "main",
      "--",
      "sh",
      "-c",
      "while sleep 0.1; do echo here; done",
    ]);
    const { code, stdout, stderr } = await ended(child);
    const late = Date.now() - until;
    expect(stdout.toString()).toContain("here");
    // Without being told, kubectl would take it for a command that ended well.
    expect(code).toBe(1);
    expect(stderr).toContain(`the session was ended: the grant of request ${id} has ended`);
    expect(late).toBeGreaterThan(-500);
    expect(late).toBeLessThan(1500);
    const recording = await sealed();
    expect(recording).toMatchObject({ user: "carol@example.com", request: id, outcome: { why: expect.stringContaining(id) } });
    // The last line may have been kept when the cut came before it was delivered.
    expect((await shown(recording.id)).toString()).toMatch(new RegExp(`^${stdout}(here\\n)?$`));
    stand.desk.offers = false;
  });

  test("T48 a client that is killed: the command ends, the recording is sealed", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const marker = join(podDirectory, `beat-${name}`);
    const child = await start("exec", "web", "--", "sh", "-c", `while sleep 0.1; do date +%s%N > ${marker}; echo beat; done`);
    await once(child.stdout ?? child, "data");
    child.kill("SIGKILL");
    expect(await sealed()).toMatchObject({ kind: "exec", outcome: { why: expect.any(String) } });
    const beat = () => readFile(marker, "utf8");
    await expect
      .poll(async () => (await beat()) === (await new Promise((r) => setTimeout(r, 400)).then(beat)), { timeout: 10_000 })
      .toBe(true);
  });
});

describe("sockets that are no kubectl's", () => {
  const target = "/api/v1/namespaces/default/pods/web/exec?command=echo&command=hi&stdout=true&stderr=true&container=main";
  const upgrade = (...more: string[]) =>
    `GET ${target} HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n${more.map((line) => `${line}\r\n`).join("")}\r\n`;
  const asAlice = "Authorization: Bearer alice-token";

  async function messages(head: string): Promise<{ readonly status: string; readonly text: string }> {
    const socket = await stand.socket();
    const parts: Buffer[] = [];
    socket.on("data", (part: Buffer) => parts.push(part)).on("error", () => {});
    socket.write(head);
    await once(socket, "close");
    const all = Buffer.concat(parts);
    const end = all.indexOf("\r\n\r\n");
    const pieces = all.toString("latin1", 9, 12) === "101" ? new WebSocketFrames("server").read(all.subarray(end + 4)) : [];
    return { status: all.toString("latin1", 9, 12), text: pieces.map(({ bytes }) => bytes.toString("latin1")).join("|") };
  }

  test.each([
    ["base64.channel.k8s.io", "1aGkK"],
    ["v4.base64.channel.k8s.io", "1aGkK"],
    ["channel.k8s.io", "\u0001hi\n"],
  ])("T25 %s is recorded, in text frames, too", async (subprotocol, expected) => {
    if (kubelet === undefined) return;
    const seen = await messages(upgrade(asAlice, "Upgrade: websocket", `Sec-WebSocket-Protocol: ${subprotocol}`));
    expect(seen.status).toBe("101");
    expect(seen.text).toContain(expected);
    const recording = await sealed();
    expect((await shown(recording.id)).toString()).toBe("hi\n");
  });

  test.each([
    ["T25 no subprotocol", ["Upgrade: websocket"], "400"],
    ["T25 an unknown one", ["Upgrade: websocket", "Sec-WebSocket-Protocol: v9.channel.k8s.io"], "400"],
    ["T24 h2c", ["Upgrade: h2c"], "400"],
    ["T24 an invention", ["Upgrade: foo"], "400"],
    [
      "T29 a page of another site",
      ["Upgrade: websocket", "Sec-WebSocket-Protocol: v4.channel.k8s.io", "Origin: https://evil.example"],
      "403",
    ],
  ])("%s is refused", async (_, lines, status) => {
    if (kubelet === undefined) return;
    const before = await recordings.list();
    expect((await messages(upgrade(asAlice, ...lines))).status).toBe(status);
    expect(await recordings.list()).toHaveLength(before.length);
  });

  test("T29 a cookie proves nothing", async () => {
    if (kubelet === undefined) return;
    const seen = await messages(
      upgrade("Upgrade: websocket", "Sec-WebSocket-Protocol: v4.channel.k8s.io", "Cookie: session=alice-token"),
    );
    expect(seen.status).toBe("401");
  });

  test("T22 after a refused upgrade nothing that follows reaches the API server", async () => {
    if (kubelet === undefined) return;
    const behind =
      "DELETE /api/v1/namespaces/default/pods/web HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer alice-token\r\n\r\n";
    const missing = upgrade(asAlice, "Upgrade: websocket", "Sec-WebSocket-Protocol: v4.channel.k8s.io").replace(
      "/pods/web/",
      "/pods/none/",
    );
    expect((await messages(missing + behind)).status).toBe("404");
    expect((await stand.ask("alice", "GET", "/api/v1/namespaces/default/pods/web")).status).toBe(200);
  });

  test("T26 a client that cuts its messages into frames, or does not mask them, is cut", async () => {
    if (kubelet === undefined) return;
    for (const frame of [
      webSocketFrame(Buffer.from("\u0000a"), { mask: [1, 2, 3, 4], final: false }),
      webSocketFrame(Buffer.from("\u0000a")),
    ]) {
      const socket = await stand.socket();
      socket.on("error", () => {}).resume();
      socket.write(
        upgrade(asAlice, "Upgrade: websocket", "Sec-WebSocket-Protocol: v4.channel.k8s.io").replace(
          "command=echo&command=hi",
          "command=cat&stdin=true",
        ),
      );
      await once(socket, "data");
      socket.write(frame);
      await once(socket, "close");
      expect((await sealed()).outcome.why).toMatch(/frames|unmasked/);
    }
  });

  test("the ledger verifies after all of it", async () => {
    if (kubelet === undefined) return;
    const verified = async () => (await verifyStoredLedger(store.reading, await keysOf(directory), verifyEd25519)).problems;
    // The gateway writes what it noted about reads a little later.
    await expect.poll(verified).toEqual([]);
  });
});

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** The recorder's writes fail, as on a full disk; the answer mends it. */
async function breakWrites(): Promise<() => Promise<void>> {
  const tables = ["recording_chunks", "recordings"];
  for (const table of tables) {
    await sql`create trigger ${sql.raw(`full_${table}`)} before insert on ${sql.table(table)} begin select raise(abort, 'disk full'); end`.execute(
      store.db,
    );
  }
  return async () => {
    for (const table of tables) await sql`drop trigger ${sql.raw(`full_${table}`)}`.execute(store.db);
  };
}

async function listening(take: (socket: Socket) => void): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(take);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

function forwardedPort(child: ChildProcess): Promise<number> {
  return new Promise((done) => {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const found = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (found !== undefined) done(Number(found));
    });
  });
}

async function readFrom(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part)).on("error", () => {});
  await once(socket, "close");
  return Buffer.concat(parts).toString();
}
