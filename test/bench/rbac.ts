import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readAuditLogs } from "../../src/adapters/files/audit-log.ts";
import { authorizeByRules } from "../../src/analysis/rbac/authorize.ts";
import { Identities } from "../../src/analysis/rbac/identities.ts";
import { AuditLearner } from "../../src/analysis/rbac/learn/observed.ts";
import type { Binding, Role } from "../../src/analysis/rbac/objects.ts";
import { escalationPaths } from "../../src/analysis/rbac/paths/paths.ts";
import { emptyRule } from "../../src/analysis/rbac/policy-rule.ts";
import { RbacIndex } from "../../src/analysis/rbac/rbac-index.ts";
import { holdersOf } from "../../src/analysis/rbac/who-can.ts";
import type { RbacWorld, RunningPod } from "../../src/analysis/rbac/world.ts";
import { indexOf } from "../conformance/rbac-oracle.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { corpora } from "./corpora.ts";

const roles = 2_000;
const bindings = 10_000;
const pods = 10_000;
const namespaces = 500;
const accounts = 20;
const events = 100_000;

const resources = ["pods", "secrets", "configmaps", "services", "pods/exec"];
const verbs = ["get", "list", "create", "watch", "delete"];
const at = <T>(list: readonly T[], index: number): T | undefined => list[index % list.length];

function largeIndex(): RbacIndex {
  const index = new RbacIndex();
  for (let i = 0; i < roles; i++) index.putRole(roleOf(i));
  for (let i = 0; i < bindings; i++) index.putBinding(bindingOf(i));
  return index;
}

function roleOf(i: number): Role {
  const rule = { ...emptyRule, apiGroups: [""], resources: [at(resources, i) ?? ""], verbs: [at(verbs, i >> 2) ?? ""] };
  return {
    kind: "ClusterRole",
    namespace: "",
    name: `r${i}`,
    labels: {},
    rules: [rule],
    aggregationSelectors: undefined,
    document: undefined,
  };
}

function bindingOf(i: number): Binding {
  return {
    kind: "RoleBinding",
    namespace: `n${i % namespaces}`,
    name: `b${i}`,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: `r${i % roles}` },
    subjects: [{ kind: "ServiceAccount", apiGroup: "", name: `s${i % accounts}`, namespace: `n${(i * 7) % namespaces}` }],
    document: undefined,
  };
}

function podOf(i: number): RunningPod {
  return {
    namespace: `n${i % namespaces}`,
    group: "",
    kind: "Pod",
    name: `p${i}`,
    serviceAccount: `s${i % accounts}`,
    spec: { containers: [] },
    mountsToken: true,
    nodeName: "",
  };
}

function largeWorld(index: RbacIndex): RbacWorld {
  return {
    index,
    complete: false,
    serviceAccounts: new Map(),
    pods: Array.from({ length: pods }, (_, i) => podOf(i)),
    accountsByName: new Map(),
    certificateRequests: [],
    allPowerfulRoles: new Map(),
    controlPlanes: [],
    awsAuth: false,
    tokens: [],
    namespaces: new Set(Array.from({ length: namespaces }, (_, i) => `n${i}`)),
    namespaceLabels: new Map(),
    defaults: { roles: [], bindings: [], gated: [] },
    diagnostics: [],
  };
}

const nobody = { user: "", groups: [], isResourceRequest: true, path: "", apiGroup: "", subresource: "", name: "" };

/** Of processor time: what one core does, whatever else the machine is doing. */
function milliseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function millisecondsOf(run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The fixture of the oracle that holds most, and its own questions; undefined where it is absent. */
async function fixtureDecisions(): Promise<BenchRow | undefined> {
  const folder = corpora();
  if (folder === undefined) return undefined;
  const index = indexOf(readFileSync(join(folder, "rbac/oracle/fixtures/bootstrap.json"), "utf8"));
  const requests = [...index.bindings()].flatMap(({ subjects }) =>
    subjects.flatMap(({ kind, name, namespace }) =>
      verbs.flatMap((verb) =>
        resources.map((resource) => ({
          ...nobody,
          user: kind === "ServiceAccount" ? `system:serviceaccount:${namespace}:${name}` : name,
          groups: ["system:authenticated", "system:serviceaccounts"],
          verb,
          resource,
          namespace: "default",
        })),
      ),
    ),
  );
  const rounds = 50;
  const decide = () => {
    for (let i = 0; i < rounds; i++) for (const request of requests) authorizeByRules(index, request);
  };
  decide();
  return { name: "a decision, default roles", ours: milliseconds(decide) / ((rounds * requests.length) / 1000), unit: "us" };
}

/** Reads and learns a log of so many events, as `least-privilege` does. */
async function learning(lines: readonly string[], zipped: boolean): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "castellan-bench-"));
  try {
    const text = `${lines.join("\n")}\n`;
    const file = join(folder, zipped ? "audit.log.gz" : "audit.log");
    writeFileSync(file, zipped ? gzipSync(text) : text);
    return await millisecondsOf(async () => {
      const learner = new AuditLearner();
      await readAuditLogs([file], (event) => learner.add(event));
      if (learner.events !== lines.length) throw new Error(`${learner.events} events were read`);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function auditLine(i: number): string {
  return JSON.stringify({
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: `00000000-0000-0000-0000-${i}`,
    stage: "ResponseComplete",
    requestURI: `/api/v1/namespaces/n${i % 40}/pods?limit=500`,
    verb: at(verbs, i),
    user: { username: `system:serviceaccount:n${i % 40}:s${i % 5}`, groups: ["system:serviceaccounts", "system:authenticated"] },
    sourceIPs: ["10.0.0.1"],
    userAgent: "kubectl/v1.36.3 (linux/amd64) kubernetes/0000000",
    objectRef: { resource: at(resources.slice(0, 4), i), namespace: `n${i % 40}`, apiVersion: "v1" },
    responseStatus: { metadata: {}, code: 200 },
    requestReceivedTimestamp: "2026-01-01T00:00:00.000000Z",
    stageTimestamp: "2026-01-01T00:00:00.005000Z",
    annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
  });
}

export const rbacBench: Bench = {
  name: "rbac",
  async run() {
    const index = largeIndex();
    const world = largeWorld(index);
    const requests = Array.from({ length: 100_000 }, (_, i) => ({
      ...nobody,
      user: `system:serviceaccount:n${(i * 7) % namespaces}:s${i % accounts}`,
      namespace: `n${i % namespaces}`,
      verb: at(verbs, i) ?? "",
      resource: at(resources, i) ?? "",
    }));
    const lines = Array.from({ length: events }, (_, i) => auditLine(i));
    const decide = () => {
      for (const request of requests) authorizeByRules(index, request);
    };
    decide();
    const rows: BenchRow[] = [
      { name: "a decision", ours: milliseconds(decide) / (requests.length / 1000), unit: "us" },
      {
        name: "who-can, each verb and resource",
        ours: milliseconds(() => {
          for (const verb of verbs) {
            for (const resource of resources)
              holdersOf(world, { ...nobody, verb, resource, namespace: "" }, "anywhere", new Identities());
          }
        }),
        unit: "ms",
        target: { atMost: 2_000 },
      },
      {
        name: "paths, 10,000 pods",
        ours: milliseconds(() => {
          escalationPaths(world, new Identities(), { from: undefined, to: { kind: "cluster-admin" } });
        }),
        unit: "ms",
        target: { atMost: 10_000 },
      },
      {
        name: "memory, all of the above",
        // In KB; of the whole process, so that it is too much rather than too little.
        ours: process.resourceUsage().maxRSS / 1024,
        unit: "MB",
        target: { atMost: 500 },
      },
      // 60,000 a second on one core.
      { name: "an audit event", ours: (await learning(lines, false)) / (events / 1000), unit: "us", target: { atMost: 16.7 } },
      // 40,000 a second.
      {
        name: "an audit event, gzipped",
        ours: (await learning(lines, true)) / (events / 1000),
        unit: "us",
        target: { atMost: 25 },
      },
      ...((fixture) => (fixture === undefined ? [] : [fixture]))(await fixtureDecisions()),
    ];
    return { rows };
  },
};
