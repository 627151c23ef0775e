import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { accessNow, registeredClusters, writeRegistered } from "./cluster-registry.ts";
import { UsageError } from "./command.ts";

let data = "";

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "castellan-registry-"));
});

afterEach(() => rm(data, { recursive: true }));

const pem = (what: string) => Buffer.from(`-----BEGIN ${what}-----\n`).toString("base64");

/** A file that somebody wrote; with `by` for an account that add made. */
async function written(name: string, user: JsonObject, by?: string): Promise<void> {
  const cluster = { server: "https://192.0.2.1", "certificate-authority-data": pem("CERTIFICATE") };
  const extensions = by === undefined ? [] : [{ name: "castellan.dev/registration", extension: { context: by } }];
  const contexts = [{ name, context: { cluster: name, user: name, extensions } }];
  const config = { clusters: [{ name, cluster }], users: [{ name, user: { token: "t", ...user } }], contexts };
  await writeFile(join(data, "clusters.yaml"), JSON.stringify(config));
}

test.each([
  ["whom the token acts as", { as: "reader" }, undefined],
  ["whom the token of our own account acts as", { as: "reader" }, "edge"],
  ["with groups and a uid", { as: "reader", "as-groups": ["readers", "0"], "as-uid": "7" }, undefined],
  ["a certificate", { "client-certificate-data": pem("CERTIFICATE"), "client-key-data": pem("PRIVATE KEY") }, undefined],
])("a file that is written anew still says %s", async (_, user, by) => {
  await written("edge", user, by);
  const read = registeredClusters({ data });
  await writeRegistered({ data }, read);
  const again = registeredClusters({ data });
  expect(again).toEqual(read);
  const { identity } = again.map((cluster) => accessNow(cluster, { data }))[0] ?? {};
  expect(identity).toEqual(read[0]?.access.identity);
});

test.each([
  ["../ledger-key.pem", "edge", false],
  ["arn:aws:eks:region:1:cluster/edge", "edge", false],
  ["arn:aws:eks:region:1:cluster/edge", undefined, true],
  ["edge.1", "edge", true],
])("%s, registered by %s: true where its token may be kept in a file of that name, or in none: %s", async (name, by, isGood) => {
  await written(name, {}, by);
  if (isGood) expect(registeredClusters({ data })).toMatchObject([{ name }]);
  else expect(() => registeredClusters({ data })).toThrow(UsageError);
});
