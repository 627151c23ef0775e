import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RegisteredCluster } from "../adapters/kubernetes/registered-clusters.ts";
import { writeRegistered } from "./cluster-registry.ts";
import { servedRegistrations, startRenewals } from "./serve-registered.ts";

let data = "";

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "castellan-registrations-"));
});

afterEach(() => rm(data, { recursive: true }));

/** As an API server gives one, `at` seconds after some moment, for a day. */
function tokenOf(at: number): string {
  const issued = Math.floor(Date.now() / 1000) + at;
  const claims = JSON.stringify({ iat: issued, exp: issued + 86_400 });
  return `e30.${Buffer.from(claims).toString("base64url")}.c2ln`;
}

function registered(server: string, token: string): RegisteredCluster {
  const way = { context: "edge", insecure: false, serverName: undefined, proxy: undefined, namespace: "castellan" };
  const access = { ...way, server, authority: "-----BEGIN CERTIFICATE-----", identity: { token } };
  return { name: "edge", access, webhook: false, account: { namespace: "castellan", context: "edge" } };
}

test.each([
  ["of the same cluster is taken", "https://192.0.2.1:6443", true],
  ["of another cluster is not shown to the one before", "https://192.0.2.2:6443", false],
])("a newer token under the same name, %s", async (_, server, isTaken) => {
  const [first, newer] = [tokenOf(-60), tokenOf(0)];
  await writeRegistered({ data }, [registered("https://192.0.2.1:6443", first)]);
  const served = await servedRegistrations({ data });
  await writeRegistered({ data }, [registered(server, newer)]);
  const ignored = () => {};
  await startRenewals(served, { flags: { data }, io: { now: Date.now }, say: ignored, trouble: ignored })();
  for (const { client } of served) await client.close();
  const sent = await readFile(join(data, "cluster-tokens", "edge"), "utf8");
  expect(sent.trim()).toBe(isTaken ? newer : first);
});
