import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../../test/run-cli.ts";
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

test.each([
  ["that leads to another cluster by now is not used", "https://127.0.0.1:1", [], 3, "leads to https://127.0.0.1:1 by now"],
  ["that leads there is used", "https://192.0.2.1", [], 2, "the API server refused"],
  ["is used wherever it leads where it is named", "https://127.0.0.1:1", ["--context", "admin"], 2, "the API server refused"],
])("an account is removed by the context by which it was made: one %s", async (_, server, flags, code, says) => {
  await written("edge", {}, "admin");
  const contexts = [{ name: "admin", context: { cluster: "c", user: "u" } }];
  const proxy = { "proxy-url": "http://127.0.0.1:1" };
  const config = { contexts, clusters: [{ name: "c", cluster: { server, ...proxy } }], users: [{ name: "u", user: {} }] };
  await writeFile(join(data, "kubeconfig"), JSON.stringify(config));
  const way = ["--data", data, "--kubeconfig", join(data, "kubeconfig"), ...flags];
  const done = await runCli(["cluster", "remove", "edge", "--and-its-account", "--yes", ...way]);
  expect([done.code, done.err]).toEqual([code, expect.stringContaining(says)]);
  expect(registeredClusters({ data })).toMatchObject([{ name: "edge" }]);
});

test("an address with a password is neither registered nor told", async () => {
  await writeFile(join(data, "ca.crt"), "-----BEGIN CERTIFICATE-----");
  await writeFile(join(data, "token"), "t");
  const files = ["--certificate-authority", join(data, "ca.crt"), "--token-file", join(data, "token")];
  const way = ["--server", "https://ada:secret@127.0.0.1:1", ...files, "--data", data];
  const { code, out, err } = await runCli(["cluster", "add", "edge", ...way]);
  expect([code, out, err]).toEqual([3, "", expect.stringContaining("--server: its address holds a name or a password")]);
  expect(err).not.toContain("secret");
});
