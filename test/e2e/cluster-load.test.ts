import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { connect, type KubernetesClient } from "../../src/adapters/kubernetes/client.ts";
import { discover } from "../../src/adapters/kubernetes/discovery.ts";
import { clusterAccess } from "../../src/adapters/kubernetes/kubeconfig.ts";
import { listObjects } from "../../src/adapters/kubernetes/list.ts";
import { loadCluster } from "../../src/adapters/kubernetes/load-cluster.ts";
import { isObject, type JsonObject, member } from "../../src/core/json.ts";
import { formatRef, resourceRef } from "../../src/core/kubernetes.ts";
import { startCluster } from "../cluster/start.ts";

/** Short, so that a list's snapshot expires while the test looks on. */
const compactionSeconds = 1;
const cluster = await startCluster({ apiServerFlags: [`--etcd-compaction-interval=${compactionSeconds}s`] });
const directory = mkdtempSync(join(tmpdir(), "castellan-cluster-load-"));

afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  if (cluster.available) await cluster.stop();
});

const manifest = `
apiVersion: v1
kind: Namespace
metadata: {name: team-a, labels: {team: a}}
---
apiVersion: v1
kind: Namespace
metadata: {name: team-b}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team-a}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.test}
spec:
  group: example.test
  names: {kind: Widget, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: config-reader}
rules: [{apiGroups: [""], resources: [configmaps, namespaces], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: config-readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: config-reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: developers}]
${Array.from({ length: 25 }, (_, i) => `---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c${i}, namespace: team-b}, data: {n: "${i}"}}\n`).join("")}`;

const widget = `{"apiVersion":"example.test/v1","kind":"Widget","metadata":{"name":"w","namespace":"team-a"},"spec":{"big":9007199254740993}}`;

describe("a live cluster", async () => {
  if (!cluster.available) {
    test.skip(`not run: ${cluster.reason}`);
    return;
  }
  const { kubeconfig } = cluster;
  const kubectl = (args: readonly string[], input = "") =>
    execFileSync(cluster.kubectl, [`--kubeconfig=${kubeconfig}`, ...args], { input, maxBuffer: 1e8 }).toString();
  kubectl(["apply", "-f", "-"], manifest);
  kubectl(["wait", "--for=condition=Established", "crd/widgets.example.test", "--timeout=60s"]);
  kubectl(["apply", "-f", "-"], widget);

  const connected = async (context = "admin"): Promise<KubernetesClient> => {
    const access = clusterAccess({ kubeconfig, context, env: {}, home: directory });
    if (!access.ok) throw new Error(access.diagnostics[0]?.message);
    const client = await connect(access.value);
    if (!client.ok) throw new Error(client.diagnostics[0]?.message);
    return client.value;
  };

  test("everything is loaded, as the server sends it", async () => {
    const result = await loadCluster({ kubeconfig });
    if (!result.ok) throw new Error(result.diagnostics[0]?.message);
    const { documents, diagnostics, context, resources } = result.value;
    expect(diagnostics).toEqual([]);
    expect(context).toBe("admin");
    expect(new Set(documents.map((d) => d.file))).toEqual(new Set(["cluster:admin"]));
    expect(documents.map((d) => d.index)).toEqual(documents.map((_, i) => i));
    const values = new Map(documents.map((d) => [formatRef(resourceRef(d.value)), d.value]));
    expect(values.size).toBe(documents.length);
    const deployment: unknown = JSON.parse(
      kubectl(["get", "deployment/web", "-n", "team-a", "-o", "json", "--show-managed-fields"]),
    );
    expect(values.get("apps/v1/Deployment team-a/web")).toEqual(deployment);
    expect(member(member(values.get("example.test/v1/Widget team-a/w"), "spec"), "big")).toBe(9007199254740993n);
    expect([...values.keys()].filter((key) => key.startsWith("v1/ConfigMap team-b/c")).length).toBe(25);
    expect([...values.keys()].filter((key) => /\/(Event|Lease) /.test(key))).toEqual([]);
    expect(resources.byKind("example.test", "Widget")).toMatchObject({ resource: "widgets", namespaced: true });
  });

  test("of namespaces: what is in them and the namespaces themselves", async () => {
    const result = await loadCluster({ kubeconfig, namespaces: ["team-a", "nowhere"] });
    if (!result.ok) throw new Error(result.diagnostics[0]?.message);
    const refs = result.value.documents.map((d) => resourceRef(d.value));
    expect(refs.map((r) => `${r.kind} ${r.namespace}/${r.name}`).sort()).toEqual(
      ["ConfigMap team-a/kube-root-ca.crt", "Deployment team-a/web", "Namespace /team-a", "Widget team-a/w"].filter(
        (line) => !line.includes("kube-root-ca") || refs.some((r) => r.name === "kube-root-ca.crt"),
      ),
    );
    expect(result.value.diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([
      expect.stringMatching(/^CLUSTER_PARTIAL 1 kind .*: namespaces\/nowhere$/),
    ]);
  });

  test("what the user may not list is named", async () => {
    const result = await loadCluster({ kubeconfig, context: "alice" });
    if (!result.ok) throw new Error(result.diagnostics[0]?.message);
    const kinds = new Set(result.value.documents.map((d) => d.value.kind));
    expect([...kinds].sort()).toEqual(["ConfigMap", "Namespace"]);
    expect(result.value.diagnostics.map((d) => d.code)).toEqual(["CLUSTER_FORBIDDEN"]);
    const [diagnostic] = result.value.diagnostics;
    expect(diagnostic?.message).toMatch(/not seen in the whole cluster, since the user may not read them: /);
    for (const name of ["secrets", "pods", "deployments.apps", "widgets.example.test"]) {
      expect(diagnostic?.message.split(/[:,] /)).toContain(name);
    }
  });

  test("discovery agrees with kubectl, in both of its forms", async () => {
    const client = await connected();
    const aggregated = await discover(client);
    const plain = await discover({ ...client, context: "", get: (path) => client.get(path), close: () => client.close() });
    await client.close();
    expect(aggregated.diagnostics).toEqual([]);
    const line = (r: {
      resource: string;
      group: string;
      version: string;
      namespaced: boolean;
      kind: string;
      verbs: readonly string[];
    }) =>
      `${r.resource} ${r.group === "" ? r.version : `${r.group}/${r.version}`} ${r.namespaced} ${r.kind} ${[...r.verbs].sort()}`;
    const text = kubectl(["api-resources", "-o", "wide", "--no-headers"]).trim().split("\n");
    const expected = text.map((row) => {
      const cells = row.trim().split(/\s+/);
      const [version = "", namespaced = "", kind = "", verbs = ""] = cells.slice(
        cells.findIndex((c) => c === "true" || c === "false") - 1,
      );
      return `${cells[0]} ${version} ${namespaced} ${kind} ${verbs.split(",").sort()}`;
    });
    // kubectl shows the preferred version of a group alone.
    const seen = new Set<string>();
    const first = aggregated.resources.filter(
      (r) => !seen.has(`${r.group}/${r.resource}`) && seen.add(`${r.group}/${r.resource}`),
    );
    expect(first.map(line).sort()).toEqual(expected.sort());
    const whole = (found: typeof aggregated) =>
      found.resources.map(
        (r) =>
          `${line(r)} ${r.singular} ${r.subresources.map((s) => `${s.name} ${s.group}/${s.version}/${s.kind} ${s.verbs}`).sort()}`,
      );
    expect(whole(plain).sort()).toEqual(whole(aggregated).sort());
  });

  test("lists come in pages, and start again when their snapshot is gone", async () => {
    const client = await connected();
    const { resources } = await discover(client);
    const configMaps = resources.find((r) => r.group === "" && r.resource === "configmaps");
    if (configMaps === undefined) throw new Error("no configmaps");
    const names = (objects: readonly JsonObject[]) => objects.map((o) => member(member(o, "metadata"), "name"));
    const whole = names(await listObjects(client, configMaps, "team-b"));
    expect(names(await listObjects(client, configMaps, "team-b", 7))).toEqual(whole);

    const asked: string[] = [];
    const slow: KubernetesClient = {
      context: client.context,
      close: () => client.close(),
      send: client.send,
      lines: client.lines,
      get: async (path) => {
        asked.push(path);
        if (path.includes("continue=")) await untilGone(client, path);
        return client.get(path);
      },
    };
    expect(names(await listObjects(slow, configMaps, "team-b", 7))).toEqual(whole);
    expect(
      asked.map((path) => path.replace(/.*\?|continue=[^&]*/g, (m) => (m.startsWith("continue") ? "continue" : ""))),
    ).toEqual(["limit=7", "limit=7&continue", "/api/v1/namespaces/team-b/configmaps"]);
    await client.close();
  });

  /** Compaction keeps a revision while nothing newer is written. */
  async function untilGone(client: KubernetesClient, path: string): Promise<void> {
    for (let turn = 0; turn < 60; turn++) {
      kubectl(["annotate", "--overwrite", "configmap/c0", "-n", "team-b", `turn=${turn}`]);
      await new Promise((done) => setTimeout(done, compactionSeconds * 500));
      try {
        await client.get(path);
      } catch {
        return;
      }
    }
    throw new Error("the snapshot never expired");
  }

  /** A kubeconfig with one user, whose credentials are these. */
  const withUser = (user: JsonObject, change: JsonObject = {}): string => {
    const config: JsonObject = JSON.parse(readFileSync(kubeconfig, "utf8"));
    const [entry] = Array.isArray(config["clusters"]) ? config["clusters"] : [];
    const own = isObject(member(entry, "cluster")) ? member(entry, "cluster") : {};
    const file = join(directory, `config-${Math.random().toString(36).slice(2)}`);
    const written = {
      clusters: [{ name: "c", cluster: { ...(isObject(own) ? own : {}), ...change } }],
      users: [{ name: "u", user }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    writeFileSync(file, JSON.stringify(written));
    return file;
  };
  const token = cluster.token("admin");
  const credential = `console.log(JSON.stringify({apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: {token: process.env.TOKEN}}))`;
  const exec = (script: string) => ({
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command: process.execPath,
      args: ["-e", script],
      env: [{ name: "TOKEN", value: token }],
      interactiveMode: "Never",
    },
  });
  writeFileSync(join(directory, "token"), `${token}\n`);
  const onlyNamespaces = (file: string) =>
    loadCluster({ kubeconfig: file, resources: (r) => r.group === "" && r.resource === "namespaces" });

  test.each<[string, JsonObject, JsonObject, string]>([
    ["a token file", { tokenFile: "token" }, {}, ""],
    ["an exec plugin", exec(credential), {}, ""],
    ["impersonation", { token, as: "carol", "as-groups": ["developers"] }, {}, ""],
    ["no authority checked", { token }, { "certificate-authority-data": null, "insecure-skip-tls-verify": true }, ""],
    ["a wrong token", { token: "wrong" }, {}, "CREDENTIALS_MISSING"],
    ["an exec plugin that fails", exec("process.exit(3)"), {}, "CREDENTIALS_MISSING"],
    ["an exec plugin that says nothing", exec("console.log('{}')"), {}, "CREDENTIALS_MISSING"],
    ["an unknown authority", { token }, { "certificate-authority-data": null }, "CLUSTER_UNREACHABLE"],
    ["a port where nobody listens", { token }, { server: "https://127.0.0.1:9" }, "CLUSTER_UNREACHABLE"],
  ])("%s", async (_, user, change, code) => {
    const result = await onlyNamespaces(withUser(user, change));
    expect(result.diagnostics.map((d) => d.code)).toEqual(code === "" ? [] : [code]);
    if (result.ok) expect(result.value.documents.map((d) => resourceRef(d.value).name)).toContain("team-a");
    expect(result.ok).toBe(code === "");
  });

  test("through a proxy", async () => {
    const tunnels: string[] = [];
    const proxy = createHttpServer().on("connect", (request, socket) => {
      tunnels.push(request.url ?? "");
      const [host = "", port = ""] = (request.url ?? "").split(":");
      const upstream = connectSocket(Number(port), host, () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(socket).pipe(upstream);
      });
      for (const end of [upstream, socket]) end.on("error", () => end.destroy());
    });
    await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
    const address = proxy.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const result = await onlyNamespaces(withUser({ token }, { "proxy-url": `http://127.0.0.1:${port}` }));
    proxy.closeAllConnections();
    await new Promise((done) => proxy.close(done));
    expect(result.ok && result.value.documents.length).toBeGreaterThan(4);
    expect(new Set(tunnels)).toEqual(new Set([new URL(cluster.server).host]));
  });
});
