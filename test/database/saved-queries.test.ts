import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { queryLedger } from "../../src/adapters/store/ledger-reading.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { ingestEvents } from "../../src/services/audit/ingest.ts";
import { type SavedQueryName, savedQueries } from "../../src/services/audit/saved-queries.ts";
import { PolicyFiles } from "../../src/services/live/policy-files.ts";
import { until } from "../e2e/api-server.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let server: RunningPostgres | undefined;
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-saved-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** verb, group, resource; whether people who ask what was deployed see it. */
const requests: readonly (readonly [string, string, string, boolean])[] = [
  ["create", "", "pods", true],
  ["create", "", "replicationcontrollers", true],
  ["create", "", "services", false],
  ["create", "", "configmaps", false],
  ["create", "apps", "deployments", true],
  ["patch", "apps", "deployments", true],
  ["delete", "apps", "deployments", false],
  ["get", "apps", "deployments", false],
  ["create", "batch", "cronjobs", true],
  ["create", "batch.volcano.sh", "jobs", true],
  ["create", "jobset.x-k8s.io", "jobsets", true],
  ["create", "leaderworkerset.x-k8s.io", "leaderworkersets", true],
  ["create", "sparkoperator.k8s.io", "sparkapplications", true],
  ["create", "ray.io", "rayclusters", true],
  ["create", "ray.io", "rayjobs", true],
  ["create", "ray.io", "rayservices", true],
  ["create", "kubeflow.org", "pytorchjobs", true],
  ["create", "kubeflow.org", "tfjobs", true],
  ["create", "kubeflow.org", "mpijobs", true],
  ["create", "kubeflow.org", "notebooks", true],
  ["create", "kubeflow.org", "profiles", false],
  ["create", "trainer.kubeflow.org", "trainjobs", true],
  ["create", "trainer.kubeflow.org", "trainingruntimes", false],
  ["create", "serving.kserve.io", "inferenceservices", true],
  ["create", "argoproj.io", "workflows", true],
  ["create", "argoproj.io", "applications", false],
  ["create", "serving.knative.dev", "services", true],
  ["create", "agents.x-k8s.io", "sandboxes", true],
];

const event = (verb: string, apiGroup: string, resource: string) => ({
  auditID: `${verb} ${apiGroup}/${resource}`,
  stage: "ResponseComplete",
  verb,
  user: { username: "ada" },
  objectRef: { apiGroup, resource, namespace: "nlp", name: "x" },
  responseStatus: { code: verb === "create" ? 201 : 200 },
  stageTimestamp: "2026-11-20T10:00:00.010000Z",
});

const policy = (message: string) =>
  JSON.stringify({
    apiVersion: "kyverno.io/v1",
    kind: "ClusterPolicy",
    metadata: { name: "require-team" },
    spec: {
      rules: [
        {
          name: "team",
          match: { any: [{ resources: { kinds: ["Pod"] } }] },
          validate: { message, pattern: { metadata: { labels: { team: "?*" } } } },
        },
      ],
    },
  });

describe.each(["sqlite", "postgres"])("on %s", (engine) => {
  const now = () => Date.UTC(2026, 10, 20, 11);
  const isMissing = () => engine === "postgres" && server === undefined;
  let count = 0;
  async function open(): Promise<{ readonly own: string; readonly store: Store; readonly ledger: Ledger }> {
    const own = await mkdtemp(join(directory, `${engine}-${count++}`));
    const store = engine === "sqlite" ? await openSqlite(own) : await openPostgres((await server?.create()) ?? "");
    return { own, store, ledger: new Ledger(store, await openSigner(own, "test.example/ledger"), now) };
  }
  async function answer(store: Store, name: SavedQueryName): Promise<readonly string[]> {
    const rows = await queryLedger(store.reading, savedQueries[name].filter, { limit: 1000, from: 0 });
    return rows.map(({ kind, verb, api_group, resource }) =>
      kind === "audit.event" ? `${verb} ${api_group}/${resource}` : `${kind} ${verb ?? ""}`.trim(),
    );
  }

  test("workloads that were deployed", async ({ skip }) => {
    if (isMissing()) skip("PostgreSQL is not installed");
    const { store, ledger } = await open();
    await ingestEvents(
      ledger,
      requests.map(([verb, group, resource]) => event(verb, group, resource)),
      "prod",
    );
    expect(await answer(store, "deployed")).toEqual(
      requests.filter(([, , , isDeployed]) => isDeployed).map(([verb, group, resource]) => `${verb} ${group}/${resource}`),
    );
    await ledger.close();
    await store.close();
  });

  test("changes of policies in the cluster, in files and by promotion", async ({ skip }) => {
    if (isMissing()) skip("PostgreSQL is not installed");
    const { own, store, ledger } = await open();
    const file = join(own, "policies.yaml");
    await writeFile(file, policy("a team is required"));
    const problems: unknown[] = [];
    const files = new PolicyFiles([file], {
      ledger,
      clusters: ["prod"],
      now,
      onChange: () => {},
      onDiagnostics: () => {},
      onTrouble: (error) => problems.push(error),
    });
    await files.start();
    await writeFile(file, policy("a team is still required"));
    await until(
      () => answer(store, "policy-changes"),
      (found) => found.length > 0,
    );
    await files.stop();
    await ingestEvents(
      ledger,
      [
        event("delete", "kyverno.io", "clusterpolicies"),
        event("get", "kyverno.io", "clusterpolicies"),
        event("patch", "", "pods"),
      ],
      "prod",
    );
    const promoted = { kind: "policy.changed", at: now(), cluster: "prod", verb: "update", group: "pod-security" } as const;
    await ledger.append([{ ...promoted, data: {} }]);
    expect(await answer(store, "policy-changes")).toEqual([
      "policy.changed",
      "delete kyverno.io/clusterpolicies",
      "policy.changed update",
    ]);
    expect(problems).toEqual([]);
    await ledger.close();
    await store.close();
  });
});
