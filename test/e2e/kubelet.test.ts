import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Kubelet, startKubelet } from "../cluster/kubelet.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";

const run = promisify(execFile);
let cluster: Cluster | undefined;
let kubelet: Kubelet | undefined;
let pod = "";
let directory = "";

beforeAll(async () => {
  const started = await startCluster({ kubelet: true });
  if (!started.available) return;
  cluster = started;
  const node = await startKubelet(started);
  if (!node.available) return;
  kubelet = node;
  pod = await node.runPod("default", "web");
  directory = await mkdtemp(join(tmpdir(), "castellan-kubelet-test-"));
});
afterAll(async () => {
  await kubelet?.stop();
  await cluster?.stop();
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

/** With what kubectl is started; the protocol is its own switch. */
function kubectlEnvironment(websockets: boolean) {
  return {
    ...process.env,
    KUBECONFIG: cluster?.kubeconfig,
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(websockets),
    KUBECTL_PORT_FORWARD_WEBSOCKETS: String(websockets),
  };
}

describe.each([
  ["WebSocket", true],
  ["SPDY", false],
] as const)("the kubelet of the tests, with kubectl over %s", (_, websockets) => {
  const kubectl = (...args: string[]) => run(cluster?.kubectl ?? "", args, { env: kubectlEnvironment(websockets) });
  const start = (...args: string[]): ChildProcess =>
    spawn(cluster?.kubectl ?? "", args, { env: kubectlEnvironment(websockets), stdio: ["pipe", "pipe", "pipe"] });

  test("exec runs a command and tells its output and exit code", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const ran = await kubectl("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; pwd");
    expect(ran.stdout).toBe(`out\n${pod}\n`);
    expect(ran.stderr).toContain("err\n");
    await expect(kubectl("exec", "web", "--", "sh", "-c", "exit 7")).rejects.toMatchObject({ code: 7 });
  });

  test("exec passes input", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const child = start("exec", "-i", "web", "--", "cat");
    child.stdin?.end("some input\n");
    expect(await outputOf(child)).toBe("some input\n");
  });

  test("attach talks with the main process", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const child = start("attach", "-i", "web");
    child.stdin?.end("hello\n");
    expect(await outputOf(child)).toContain("attached\nhello\n");
  });

  test("logs -f follows", async ({ skip }) => {
    if (kubelet === undefined) return skip("no kubelet");
    await kubelet.log("default", "web", "first\n");
    const child = start("logs", "-f", "web");
    const seen: string[] = [];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => seen.push(text));
    await expect.poll(() => seen.join("")).toContain("first\n");
    await kubelet.log("default", "web", "second\n");
    await expect.poll(() => seen.join("")).toContain("second\n");
    child.kill();
  });

  test("cp copies both ways", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const name = websockets ? "ws" : "spdy";
    await writeFile(join(directory, name), "content\n");
    await kubectl("cp", join(directory, name), `web:${name}`);
    expect(await readFile(join(pod, name), "utf8")).toBe("content\n");
    await kubectl("cp", `web:${name}`, join(directory, `${name}-back`));
    expect(await readFile(join(directory, `${name}-back`), "utf8")).toBe("content\n");
  });

  test("port-forward reaches a port", async ({ skip }) => {
    if (kubelet === undefined) skip("no kubelet");
    const target = createServer((socket) => socket.end("from the port\n"));
    await new Promise<void>((done) => target.listen(0, "127.0.0.1", done));
    const address = target.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const child = start("port-forward", "web", `:${port}`);
    const local = await new Promise<string>((done) => {
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        const found = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
        if (found !== undefined) done(found);
      });
    });
    const answer = await fetch(`http://127.0.0.1:${local}`).catch((error: unknown) => error);
    // What answers is no HTTP; that it answers at all shows the way.
    expect(String(answer instanceof Error ? answer.cause : "")).toMatch(/Expected HTTP/);
    child.kill();
    target.close();
  });
});

async function outputOf(child: ChildProcess): Promise<string> {
  const parts: string[] = [];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => parts.push(text));
  await new Promise((done) => child.once("close", done));
  return parts.join("");
}
