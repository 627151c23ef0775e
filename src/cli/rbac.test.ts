import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../test/run-cli.ts";
import { loadDefaultRbacObjects } from "../adapters/files/catalog.ts";
import { exitCodes } from "./exit-code.ts";

const folder = mkdtempSync(join(tmpdir(), "castellan-rbac-cli-"));
const at = (name: string) => join(folder, name);
const api = "apiVersion: rbac.authorization.k8s.io/v1";

const event = (verb: string, name: string, code = 200) =>
  JSON.stringify({
    kind: "Event",
    stage: "ResponseComplete",
    verb,
    user: { username: "system:serviceaccount:a:bot" },
    objectRef: { resource: "configmaps", namespace: "a", name },
    responseStatus: { code },
    requestReceivedTimestamp: "2026-01-01T00:00:00Z",
  });

const files: { readonly [name: string]: string | Uint8Array } = {
  "rbac.yaml": `${api}
kind: ClusterRoleBinding
metadata: {name: bot}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: bot, namespace: a}]
---
${api}
kind: RoleBinding
metadata: {name: viewers, namespace: a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: dev}]
`,
  "malformed.yaml": `${api}\nkind: Role\nmetadata: {name: r, namespace: a}\nrules: [{verbs: get}]\n`,
  "identities.yaml": "apiVersion: castellan.dev/v1alpha1\nkind: Identities\nusers: [{name: ada, groups: [dev]}]\n",
  "audit.log": `${event("get", "x")}\n{broken\n`,
  "audit.log.gz": gzipSync(`${event("get", "x")}\n${event("delete", "x", 403)}\n`),
  "default-roles.json": JSON.stringify({ apiVersion: "v1", kind: "List", items: loadDefaultRbacObjects().objects }),
  "gated-roles.json": JSON.stringify({ apiVersion: "v1", kind: "List", items: loadDefaultRbacObjects().gated }),
};

beforeAll(() => {
  for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content);
});
afterAll(() => rmSync(folder, { recursive: true }));

const rbac = (...argv: readonly string[]) => runCli(["rbac", ...argv]);
const from = (name: string) => ["-f", at(name)];

describe("exit codes", () => {
  test.each<[string, readonly string[], keyof typeof exitCodes]>([
    ["yes", ["can-i", "create", "pods", "--as", "sa:a:bot", ...from("rbac.yaml")], "clean"],
    ["no", ["can-i", "delete", "nodes", "--as", "sa:a:bot", ...from("rbac.yaml")], "findings"],
    ["a malformed role leaves the answer open", ["can-i", "get", "pods", "--as", "x", ...from("malformed.yaml")], "incomplete"],
    ["neither files nor cluster", ["can-i", "get", "pods", "--as", "x"], "usage"],
    ["a file that is not there", ["who-can", "get", "pods", ...from("absent.yaml")], "incomplete"],
    ["who-can", ["who-can", "get", "secrets", ...from("rbac.yaml")], "clean"],
    ["a path instead of -f", ["can-i", "create", "pods", at("rbac.yaml"), "--as", "sa:a:bot"], "clean"],
    ["matrix", ["matrix", at("rbac.yaml")], "clean"],
    ["audit with findings", ["audit", ...from("rbac.yaml")], "findings"],
    ["audit that never fails", ["audit", "--fail-on", "never", at("rbac.yaml")], "clean"],
    ["paths", ["paths", ...from("rbac.yaml")], "findings"],
    ["no path", ["paths", "--from", "a/other", ...from("rbac.yaml")], "clean"],
    ["nothing changed", ["diff", at("rbac.yaml"), at("rbac.yaml")], "clean"],
    ["something changed", ["diff", at("malformed.yaml"), at("rbac.yaml")], "incomplete"],
    ["nothing superfluous", ["dedupe", ...from("rbac.yaml")], "clean"],
    ["a template", ["template", "viewer", "-n", "a"], "clean"],
    ["an unknown template", ["template", "king", "-n", "a"], "usage"],
    [
      "learning, replayed",
      ["least-privilege", "--audit-log", at("audit.log.gz"), "--all", "--verify", ...from("rbac.yaml")],
      "clean",
    ],
    ["a broken line", ["least-privilege", "--audit-log", at("audit.log"), "--all", ...from("rbac.yaml")], "incomplete"],
    ["a log that is not there", ["least-privilege", "--audit-log", at("none"), "--all", ...from("rbac.yaml")], "incomplete"],
    ["whose roles", ["least-privilege", "--audit-log", at("audit.log"), ...from("rbac.yaml")], "usage"],
    [
      "a window of no unit",
      ["least-privilege", "--audit-log", at("audit.log"), "--all", "--window", "3", ...from("rbac.yaml")],
      "usage",
    ],
  ])("%s", async (_, argv, want) => expect((await rbac(...argv)).code).toBe(exitCodes[want]));
});

describe("answers", () => {
  test("can-i names rule, role, binding and subject", async () => {
    const { out } = await rbac(
      "can-i",
      "get",
      "po",
      "--as",
      "ada",
      "--identities",
      at("identities.yaml"),
      "-n",
      "a",
      ...from("rbac.yaml"),
    );
    expect(out.split("\n").slice(2, 5)).toEqual([
      "  role     ClusterRole view",
      "  binding  RoleBinding a/viewers",
      "  subject  Group dev",
    ]);
  });

  test("who-can begins with the bindings that people made", async () => {
    const { out } = await rbac("who-can", "get", "configmaps", "-n", "a", at("rbac.yaml"));
    const bindings = out.split("\n").map((line) => /(?:Cluster)?RoleBinding (\S+)/.exec(line)?.[1]);
    expect(bindings.slice(1, 3).toSorted()).toEqual(["a/viewers", "bot"]);
    expect(bindings.slice(3).some((name) => name?.startsWith("system:"))).toBe(true);
  });

  test("a cluster-scoped resource is in no namespace, whatever was named", async () => {
    const { out } = await rbac(
      "can-i",
      "get",
      "nodes",
      "--as",
      "ada",
      "--as-group",
      "dev",
      "-n",
      "a",
      "-o",
      "json",
      ...from("rbac.yaml"),
    );
    expect(JSON.parse(out)).toMatchObject({ allowed: false, request: { namespace: "", resource: "nodes" } });
  });

  test("broken roles and log lines are told with their place", async () => {
    expect((await rbac("matrix", ...from("malformed.yaml"))).err).toMatch(
      /^RBAC_MALFORMED: .*malformed\.yaml:4:17: Role r: rules\.0\.verbs is not a list\n$/,
    );
    const learned = await rbac("least-privilege", "--audit-log", at("audit.log"), "--all", ...from("rbac.yaml"));
    expect(learned.err).toMatch(/^AUDIT_EVENT_INVALID: .*audit\.log:2:1: the line is not JSON\n$/);
    expect(learned.out).toContain("get on configmaps (core) named x");
  });

  test("least-privilege prints objects to apply", async () => {
    const { out } = await rbac(
      "least-privilege",
      "--audit-log",
      at("audit.log.gz"),
      "--subject",
      "sa:a:bot",
      "-o",
      "yaml",
      ...from("rbac.yaml"),
    );
    expect(out).toContain("kind: Role\n");
    expect(out).toContain("resourceNames:\n");
    expect(out).not.toContain("delete");
  });

  test.each(["default-roles.json", "gated-roles.json"])("%s: what Kubernetes brings is no finding", async (name) => {
    const { code, out } = await rbac("audit", ...from(name));
    expect(out).toContain("No findings");
    expect(code).toBe(exitCodes.clean);
  });
});
