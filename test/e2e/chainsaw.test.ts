import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isArray, isObject } from "../../src/core/json.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { type GovernedTestCluster, startGovernedCluster } from "../conformance/chainsaw/cluster.ts";
import { runChainsawTest } from "../conformance/chainsaw/run-test.ts";
import { conformanceRoot } from "../conformance/corpora.ts";
import { passed } from "../conformance/corpus.ts";

/** A fixed hundred of Kyverno's Chainsaw tests; `npm run conformance -- kyverno-chainsaw` runs all. */

function fixedCases(): readonly string[] {
  const file = join(import.meta.dirname, "chainsaw-cases.yaml");
  const table = parseDocuments(readFileSync(file, "utf8"), file).documents[0]?.value;
  if (!isObject(table)) return [];
  return Object.entries(table).flatMap(([folder, names]) =>
    isArray(names) ? names.map((name) => `${folder}/${String(name)}`) : [],
  );
}

const cases = fixedCases();
const fileOf = (name: string) =>
  ["chainsaw-test.yaml", ".chainsaw-test/chainsaw-test.yaml"]
    .map((file) => join(conformanceRoot(), name, file))
    .find((path) => existsSync(path));
// The suites are not part of the repository, and a checkout of them may hold a part.
const hasSuites = cases.some((name) => fileOf(name) !== undefined);

test("there are a hundred, each once", () => {
  expect(new Set(cases).size).toBe(100);
  expect(cases).toHaveLength(100);
});

describe.skipIf(!hasSuites)("Chainsaw tests against a real API server", () => {
  let cluster: GovernedTestCluster | undefined;

  beforeAll(async () => {
    cluster = await startGovernedCluster();
  }, 300_000);

  afterAll(() => cluster?.stop());

  for (const name of cases) {
    const file = fileOf(name);
    test.skipIf(file === undefined)(name, async (context) => {
      if (cluster === undefined) return context.skip("no control plane can be had");
      expect(await runChainsawTest(cluster, file ?? "")).toEqual(passed);
    });
  }
});
