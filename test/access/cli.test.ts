import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addAccessAdministrationRoutes } from "../../src/server/api/access-administration-routes.ts";
import { locksInForce } from "../../src/services/access/lock-list.ts";
import { runCli } from "../run-cli.ts";
import { type DeskServer, type DeskWorld, type Name, openDeskWorld, people, startDeskServer } from "./desk-server.ts";

let world: DeskWorld;
let server: DeskServer;
let home = "";

beforeAll(async () => {
  world = await openDeskWorld();
  home = await mkdtemp(join(tmpdir(), "castellan-cli-"));
  server = await startDeskServer(world, {
    routes: (api, desk) =>
      addAccessAdministrationRoutes(api, {
        desk,
        humanNamed: async (name) => name,
        locks: () => locksInForce(world.store, world.clock.now),
      }),
  });
});

afterAll(async () => {
  await server.close();
  await world.close();
  await rm(home, { recursive: true, force: true });
});

const castellan = (name: Name, ...argv: readonly string[]) =>
  runCli(argv, {
    env: { HOME: home, CASTELLAN_SERVER: server.origin, CASTELLAN_TOKEN: server.tokenOf(name) },
    now: () => world.clock.now,
  });

const create = async (...argv: readonly string[]) => {
  const { out, err, code } = await castellan("ada", "request", "create", "-o", "json", ...argv);
  if (out === "") throw new Error(`${code}: ${err}`);
  return JSON.parse(out);
};

describe("castellan request", () => {
  test.each<[string, readonly string[], object]>([
    [
      "kubectl delete",
      ["-n", "ml", "--", "delete", "pod", "web-0"],
      { method: "DELETE", target: "/api/v1/namespaces/ml/pods/web-0", contentType: "application/json", contentEncoding: "" },
    ],
    [
      "kubectl delete TYPE/NAME",
      ["-n", "ml", "--", "kubectl", "delete", "pods/web-0"],
      { method: "DELETE", target: "/api/v1/namespaces/ml/pods/web-0" },
    ],
    [
      "kubectl scale",
      ["-n", "ml", "--", "scale", "deploy", "web", "--replicas=3"],
      {
        method: "PATCH",
        target: "/apis/apps/v1/namespaces/ml/deployments/web/scale",
        contentType: "application/merge-patch+json",
      },
    ],
    [
      "a raw call",
      ["--method", "DELETE", "--target", "/api/v1/namespaces/ml/pods/web-0"],
      { method: "DELETE", target: "/api/v1/namespaces/ml/pods/web-0" },
    ],
  ])("%s is the call that is asked for", async (_, argv, http) => {
    const request = await create("--reason", "stuck", ...argv);
    expect(request).toMatchObject({ phase: "pending", reason: "stuck", ask: { type: "action", action: { http } } });
  });

  test("two bodies are two actions", async () => {
    const digest = async (replicas: number) =>
      (await create("-n", "ml", "--", "scale", "deploy", "web", `--replicas=${replicas}`)).ask.action.http.bodyDigest;
    const [three, four, again] = [await digest(3), await digest(4), await digest(3)];
    expect([three === four, three === again]).toEqual([false, true]);
  });

  test("a manifest is what a server-side apply sends, a request for each object", async () => {
    const file = join(home, "fix.yaml");
    const object = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {b: "<1>", a: "2"}\n`;
    await writeFile(file, [object("one"), object("two")].join("---\n"));
    const { items } = await create("-n", "ml", "--from-manifest", file);
    expect(items.map((one: { ask: { action: { http: { target: string } } } }) => one.ask.action.http.target)).toEqual(
      ["one", "two"].map(
        (name) => `/api/v1/namespaces/ml/configmaps/${name}?fieldManager=kubectl&fieldValidation=Strict&force=false`,
      ),
    );
  });

  test("a session and an exception", async () => {
    expect(await create("--session", "sessions", "-n", "ml", "--for", "30m")).toMatchObject({
      ask: { type: "session", namespace: "ml", milliseconds: 1_800_000 },
      rule: { name: "sessions" },
    });
    expect(await create("--exception", "require-team", "--object", "deployment/web", "-n", "ml", "--for", "7d")).toMatchObject({
      ask: {
        type: "exception",
        policy: "require-team",
        object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "ml", name: "web" },
        until: world.clock.now + 7 * 86_400_000,
      },
    });
  });

  test("an exception as a denial at admission words it", async () => {
    const object = async (...argv: readonly string[]) => (await create("--exception", "p", "--for", "24h", ...argv)).ask.object;
    const widget = { apiVersion: "example.com/v1", kind: "Widget", name: "x" };
    const of = ["--object", "Widget/x", "--api-version", "example.com/v1"];
    expect(await object(...of)).toEqual({ ...widget, namespace: "" });
    expect(await object(...of, "-n", "ml", "--policy-rule", "r")).toEqual({ ...widget, namespace: "ml" });
    expect(await object("--object", "Pod/x")).toMatchObject({ namespace: "default" });
    expect(await object("--object", "Namespace/x", "-n", "ml")).toMatchObject({ namespace: "" });
  });

  test("list, show, approve, wait: a whole request, with exit codes for scripts", async () => {
    const { id } = await create("-n", "ml", "--reason", "INC-7", "--", "delete", "pod", "whole");
    expect((await castellan("bob", "request", "list", "--to-decide")).out).toContain(id);
    const shown = await castellan("bob", "request", "show", id);
    expect(shown.out).toContain("oidc:ada: delete pods/whole in ml");
    expect(shown.out).toContain("INC-7");
    expect(await castellan("ada", "request", "wait", id, "--timeout", "1s")).toMatchObject({ code: 2 });
    const waiting = castellan("ada", "request", "wait", id, "--timeout", "60s");
    expect(await castellan("bob", "approve", id, "--comment", "go")).toMatchObject({
      code: 0,
      out: expect.stringContaining("by oidc:bob (cli): go"),
    });
    expect(await waiting).toMatchObject({ code: 0, out: expect.stringContaining("granted") });
    expect(await castellan("bob", "approve", id)).toMatchObject({ code: 1, err: expect.stringContaining("granted already") });
    expect(await castellan("ada", "revoke", id, "--comment", "done")).toMatchObject({
      code: 0,
      out: expect.stringContaining("done by oidc:ada"),
    });
    expect(await castellan("ada", "request", "wait", id)).toMatchObject({ code: 1 });
  });

  test("a denial: who asks is told why", async () => {
    const { id } = await create("-n", "ml", "--", "delete", "pod", "denied");
    expect(await castellan("bob", "deny", id)).toMatchObject({ code: 0, err: expect.stringContaining("--comment") });
    expect(await castellan("ada", "request", "wait", id)).toMatchObject({ code: 1, out: expect.stringContaining("Denied") });
  });

  test("cancelling; own requests alone are listed", async () => {
    const { id } = await create("-n", "ml", "--", "delete", "pod", "cancelled");
    expect(await castellan("ada", "request", "cancel", id)).toMatchObject({ code: 0, out: expect.stringContaining("cancelled") });
    expect((await castellan("bob", "request", "list")).out).toBe("There are no such requests.\n");
    expect((await castellan("ada", "request", "list", "--phase", "cancelled")).out).toContain(id);
  });

  test("--wait answers with the decision", async () => {
    const waiting = castellan(
      "ada",
      "request",
      "create",
      "-n",
      "ml",
      "--wait",
      "60s",
      "-o",
      "json",
      "--",
      "delete",
      "pod",
      "waits",
    );
    await expect
      .poll(async () =>
        (await server.desk.list({ decidableBy: people.bob })).some(
          ({ ask }) => ask.type === "action" && ask.action.name === "waits",
        ),
      )
      .toBe(true);
    const [request] = (await server.desk.list({ decidableBy: people.bob })).filter(
      ({ ask }) => ask.type === "action" && ask.action.name === "waits",
    );
    await castellan("bob", "approve", request?.id ?? "");
    const { code, out } = await waiting;
    expect([code, JSON.parse(out).phase]).toEqual([0, "granted"]);
  });

  test("what others wrote cannot move the cursor", async () => {
    const { id } = await create("-n", "ml", "--reason", "x\u001b[2J\u202e\ny", "--", "delete", "pod", "hostile");
    const { out } = await castellan("bob", "request", "show", id);
    expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ["nothing to ask for", ["request", "create"], 3, /one of/],
    ["two things at once", ["request", "create", "--session", "x", "--exception", "y"], 3, /one of/],
    [
      "a kubectl command whose call is not known before",
      ["request", "create", "--", "rollout", "restart", "deploy/web"],
      3,
      /not known before/,
    ],
    ["an option of kubectl that changes the call", ["request", "create", "--", "delete", "pod", "x", "--force"], 3, /--force/],
    ["a kind that nobody knows", ["request", "create", "--", "delete", "sprocket", "x"], 3, /sprocket/],
    ["a duration that is none", ["request", "create", "--session", "x", "--for", "soon"], 3, /duration/],
    ["what no rule offers", ["request", "create", "-n", "kube-system", "--", "delete", "pod", "x"], 1, /rule/i],
    ["a request that is not there", ["request", "show", "none"], 1, /no such request/],
    ["a server by plain HTTP from afar", ["request", "list", "--server", "http://castellan.example"], 3, /token/],
  ])("%s", async (_, argv, code, message) => {
    const ran = await castellan("ada", ...argv);
    expect([ran.code, ran.err]).toEqual([code, expect.stringMatching(message)]);
  });

  test("nobody is logged in and nothing runs here", async () => {
    const ran = await runCli(["request", "list", "--data", join(home, "nothing")], { env: { HOME: home } });
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining("castellan login") });
  });
});

describe("castellan access", () => {
  test("lock and unlock", async () => {
    expect(await castellan("root", "access", "lock", "mal", "--reason", "left")).toMatchObject({ code: 0 });
    expect((await castellan("odo", "access", "locks")).out).toMatch(/mal.*oidc:root.*left/);
    expect(await castellan("ada", "access", "unlock", "mal")).toMatchObject({ code: 1 });
    expect(await castellan("root", "access", "unlock", "mal")).toMatchObject({ code: 0 });
  });
});
