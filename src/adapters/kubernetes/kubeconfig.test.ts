import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { clusterAccess } from "./kubeconfig.ts";

const root = mkdtempSync(join(tmpdir(), "castellan-kubeconfig-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

file("one/ca.pem", "AUTHORITY");
file("one/key.pem", "KEY");
const one = file(
  "one/config",
  `
current-context: dev
clusters:
- name: dev
  cluster: {server: "https://dev:6443/k8s/clusters/c1", certificate-authority: ca.pem, tls-server-name: api, proxy-url: "http://proxy:3128"}
users:
- name: alice
  user:
    client-certificate-data: ${Buffer.from("CERTIFICATE").toString("base64")}
    client-key: key.pem
    token: t
- name: plugin
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./bin/login, args: [a, 1], env: [{name: X, value: y}], installHint: get it}
- name: old
  user: {auth-provider: {name: gcp}}
contexts:
- {name: dev, context: {cluster: dev, user: alice, namespace: team}}
- {name: exec, context: {cluster: dev, user: plugin}}
- {name: old, context: {cluster: dev, user: old}}
- {name: nobody, context: {cluster: dev, user: nobody}}
- {name: nowhere, context: {cluster: nowhere, user: alice}}
`,
);
const two = file(
  "two",
  `
current-context: prod
clusters:
- {name: dev, cluster: {server: "https://other"}}
- {name: prod, cluster: {server: "https://prod", insecure-skip-tls-verify: true}}
contexts:
- {name: prod, context: {cluster: prod, user: alice}}
`,
);

const access = (options: { kubeconfig?: string; context?: string; env?: { [name: string]: string }; home?: string }) =>
  clusterAccess({ env: {}, home: join(root, "nobody"), ...options });

test("one file: paths start from its directory", () => {
  const result = access({ kubeconfig: one });
  expect(result.ok && result.value).toEqual({
    context: "dev",
    server: "https://dev:6443/k8s/clusters/c1",
    authority: "AUTHORITY",
    insecure: false,
    serverName: "api",
    proxy: "http://proxy:3128",
    namespace: "team",
    identity: { token: "t", certificate: "CERTIFICATE", key: "KEY" },
  });
});

test("exec plugins: paths start from the file's directory, names do not", () => {
  const result = access({ kubeconfig: one, context: "exec" });
  expect(result.ok && result.value.identity.exec).toEqual({
    command: join(root, "one/bin/login"),
    args: ["a", "1"],
    env: { X: "true" },
    apiVersion: "client.authentication.k8s.io/v1beta1",
    interactive: true,
    provideClusterInfo: false,
    installHint: "get it",
  });
});

test("KUBECONFIG lists files: the first entry of a name stands, absent files do no harm", () => {
  const env = { KUBECONFIG: [join(root, "absent"), one, two].join(delimiter) };
  const current = access({ env });
  const other = access({ env, context: "prod" });
  expect(current.ok && [current.value.context, current.value.server]).toEqual(["dev", "https://dev:6443/k8s/clusters/c1"]);
  expect(other.ok && [other.value.server, other.value.insecure, other.value.identity.token]).toEqual(["https://prod", true, "t"]);
});

test("~/.kube/config where nothing is set", () => {
  file(
    "home/.kube/config",
    `{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"a"}}],"clusters":[{"name":"a","cluster":{"server":"https://a"}}]}`,
  );
  const result = access({ home: join(root, "home") });
  expect(result.ok && [result.value.server, result.value.namespace, result.value.identity]).toEqual(["https://a", "default", {}]);
});

test.each<[string, Parameters<typeof access>[0], string]>([
  ["nothing anywhere", {}, "KUBECONFIG_MISSING no kubeconfig: "],
  [
    "an absent file",
    { kubeconfig: join(root, "absent") },
    `KUBECONFIG_INVALID ${join(root, "absent")}: there is no such file or directory`,
  ],
  [
    "an unknown context",
    { kubeconfig: one, context: "x" },
    'KUBECONFIG_INVALID the kubeconfig has no context "x"; it has: dev, exec',
  ],
  ["an unknown user", { kubeconfig: one, context: "nobody" }, 'KUBECONFIG_INVALID context "nobody" names the user'],
  ["an unknown cluster", { kubeconfig: one, context: "nowhere" }, 'KUBECONFIG_INVALID context "nowhere" names the cluster'],
  ["an auth-provider", { kubeconfig: one, context: "old" }, 'KUBECONFIG_INVALID user "old" uses an auth-provider'],
  ["no current context", { kubeconfig: file("empty", "{}") }, "KUBECONFIG_INVALID the kubeconfig sets no current-context"],
  ["broken YAML", { kubeconfig: file("broken", "a: [") }, "YAML_SYNTAX "],
])("%s", (_, options, message) => {
  const result = access(options);
  expect(result.ok).toBe(false);
  expect(result.diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([expect.stringContaining(message)]);
});
