import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { type GovernedTestCluster, startGovernedCluster } from "../conformance/chainsaw/cluster.ts";
import { Stand, soon } from "./governed-stand.ts";

/** What `kubectl describe` shows of findings. */
let cluster: GovernedTestCluster | undefined;

beforeAll(async () => {
  cluster = await startGovernedCluster(["--events"]);
}, 300_000);

afterAll(() => cluster?.stop());

const labelled: JsonObject = {
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name: "labelled" },
  spec: {
    rules: [
      {
        name: "team",
        match: { any: [{ resources: { kinds: ["ConfigMap"], names: ["described"] } }] },
        validate: { failureAction: "Audit", message: "a team is missing", pattern: { metadata: { labels: { team: "?*" } } } },
      },
    ],
  },
};

test("what a policy finds wrong with an object is told where people look", async (context) => {
  if (cluster === undefined) return context.skip("no control plane can be had");
  const { shell } = cluster;
  const directory = await mkdtemp(join(tmpdir(), "castellan-events-"));
  const work = join(directory, "work");
  await mkdir(work);
  const stand = new Stand(cluster, "described");
  await stand.start();
  await stand.policy(labelled);
  await stand.write({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "described" } });
  const described = async () => (await shell("kubectl -n described describe configmap described", work, {})).stdout;
  await expect
    .poll(described, soon)
    .toMatch(/Warning +PolicyViolation +\S+ +castellan\S* +kyverno\.io\/ClusterPolicy\/labelled\/team: .*a team is missing/);
  await rm(directory, { recursive: true });
}, 60_000);
