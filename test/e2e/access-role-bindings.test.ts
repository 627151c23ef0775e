import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { person } from "../../src/access/machine/people.testing.ts";
import { connect, type KubernetesClient } from "../../src/adapters/kubernetes/client.ts";
import { discover } from "../../src/adapters/kubernetes/discovery.ts";
import { clusterAccess } from "../../src/adapters/kubernetes/kubeconfig.ts";
import { apiResources } from "../../src/core/api-resources.ts";
import { RoleBindingGrants } from "../../src/services/access/role-binding-grants.ts";
import { ClusterWriter } from "../../src/services/live/cluster-writer.ts";
import { startCluster } from "../cluster/start.ts";
import { AccessWorld, bob, codeOf, minute, session, value } from "../database/access-world.ts";

const cluster = await startCluster();

describe.skipIf(!cluster.available)("sessions by role bindings, in a real cluster", () => {
  let directory = "";
  let world: AccessWorld;
  let client: KubernetesClient;
  const kubectl = (...args: readonly string[]) =>
    cluster.available ? execFileSync(cluster.kubectl, ["--kubeconfig", cluster.kubeconfig, ...args], { encoding: "utf8" }) : "";
  const mayDelete = () => {
    if (!cluster.available) return "";
    const args = ["--kubeconfig", cluster.kubeconfig, "--context", "alice", "auth", "can-i", "delete", "pods", "-n", "default"];
    return spawnSync(cluster.kubectl, args, { encoding: "utf8" }).stdout.trim();
  };
  const bindings = () => kubectl("get", "rolebindings", "-A", "-l", "castellan.dev/grant", "-o", "name").trim();
  const alice = person("alice", ["dev"], { user: "alice" });
  const wanted = (milliseconds: number) => {
    const { ask, ...rest } = session(milliseconds, "rolebinding");
    return { ...rest, ask: { ...ask, namespace: "default" }, requester: alice };
  };

  beforeAll(() => {
    kubectl("create", "clusterrole", "pod-deleter", "--verb=delete", "--resource=pods");
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "castellan-bindings-"));
    world = await AccessWorld.open("sqlite", directory, undefined);
    const access = clusterAccess({ kubeconfig: cluster.available ? cluster.kubeconfig : "", env: {}, home: directory });
    const connected = access.ok ? await connect(access.value) : access;
    if (!connected.ok) throw new Error(JSON.stringify(connected.diagnostics));
    client = connected.value;
  });
  afterEach(async () => {
    await world.close();
    await client.close();
    await rm(directory, { recursive: true, force: true });
  });
  afterAll(async () => {
    if (cluster.available) await cluster.stop();
  });

  async function sweeper(): Promise<RoleBindingGrants> {
    const resources = apiResources((await discover(client)).resources);
    const writer = new ClusterWriter(client, () => resources);
    return new RoleBindingGrants({
      cluster: "prod",
      writer,
      ticks: () => world.ticks,
      onTrouble: (error) => world.troubles.push(error.message),
    });
  }

  test("off, or without a sweep that succeeded, none is promised", async () => {
    const desk = await world.desk();
    expect(codeOf(await desk.open(wanted(minute)))).toBe("ACCESS_NO_SWEEPER");
    world.roleBindings = await sweeper();
    const unswept = await world.desk({ started: false });
    expect(codeOf(await unswept.open(wanted(minute)))).toBe("ACCESS_NO_SWEEPER");
  });

  test("a binding is there while the grant lives, and no longer", async () => {
    world.roleBindings = await sweeper();
    const desk = await world.desk();
    await expect.poll(() => world.roleBindings?.isLive(), { timeout: 5000 }).toBe(true);
    const { id } = value(await desk.open(wanted(2 * minute)));
    expect(mayDelete()).toBe("no");
    value(await desk.decide(id, bob, "approve", "", "cli"));
    await expect.poll(mayDelete, { timeout: 5000 }).toBe("yes");
    const shown = JSON.parse(kubectl("get", "rolebinding", `castellan-grant-${id}`, "-o", "json"));
    expect(shown).toMatchObject({
      metadata: { annotations: { "castellan.dev/owner": "alice", "castellan.dev/expires": "2026-11-20T12:02:00.000Z" } },
      roleRef: { kind: "ClusterRole", name: "pod-deleter" },
      subjects: [{ kind: "User", name: "alice" }],
    });
    world.pass(2 * minute);
    await expect.poll(mayDelete, { timeout: 5000 }).toBe("no");
    expect(bindings()).toBe("");
    expect(world.troubles).toEqual([]);
  });

  test("what a process that died left behind is removed by the next, and what somebody added by hand", async () => {
    world.roleBindings = await sweeper();
    const desk = await world.desk();
    await expect.poll(() => world.roleBindings?.isLive(), { timeout: 5000 }).toBe(true);
    const { id } = value(await desk.open(wanted(minute)));
    value(await desk.decide(id, bob, "approve", "", "cli"));
    await expect.poll(mayDelete, { timeout: 5000 }).toBe("yes");
    await desk.close();
    kubectl("create", "rolebinding", "kept", "--clusterrole=pod-deleter", "--user=alice");
    kubectl("label", "rolebinding", "kept", `castellan.dev/grant=${id}`);
    world.pass(minute);
    expect(mayDelete()).toBe("yes");
    world.roleBindings = await sweeper();
    const next = await world.desk();
    await expect.poll(mayDelete, { timeout: 5000 }).toBe("no");
    expect(bindings()).toBe("");
    expect((await next.get(id))?.ended?.why).toBe("expired");
  });

  test("T45 a revocation and a lock take the binding away", async () => {
    world.roleBindings = await sweeper();
    const desk = await world.desk();
    await expect.poll(() => world.roleBindings?.isLive(), { timeout: 5000 }).toBe(true);
    for (const end of ["revoke", "lock"] as const) {
      const { id } = value(await desk.open(wanted(minute)));
      value(await desk.decide(id, bob, "approve", "", "cli"));
      await expect.poll(mayDelete, { timeout: 5000 }).toBe("yes");
      if (end === "revoke") value(await desk.revoke(id, bob, "over"));
      else await desk.lock("alice", bob, "stolen");
      await expect.poll(mayDelete, { timeout: 5000 }).toBe("no");
    }
  });
});
