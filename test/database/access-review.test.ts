import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../run-cli.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-review-"));
});
afterAll(() => rm(directory, { recursive: true }));

const bindings = `
apiVersion: v1
kind: Namespace
metadata: {name: nlp, labels: {team: language}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: agent, namespace: nlp}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: agent, namespace: nlp}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ops, annotations: {castellan.dev/owner: platform}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: Group, name: ops}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "system:node", labels: {kubernetes.io/bootstrapping: rbac-defaults}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:node"}
`;

const event = {
  kind: "Event",
  apiVersion: "audit.k8s.io/v1",
  auditID: "e1",
  stage: "ResponseComplete",
  verb: "get",
  user: { username: "system:serviceaccount:nlp:agent" },
  objectRef: { resource: "pods", namespace: "nlp", apiVersion: "v1" },
  responseStatus: { code: 200 },
  stageTimestamp: "2026-11-01T10:00:00Z",
  annotations: {
    "authorization.k8s.io/decision": "allow",
    "authorization.k8s.io/reason": 'RBAC: allowed by RoleBinding "agent/nlp" of Role "reader" to ServiceAccount "agent/nlp"',
  },
};

test("owners decide on bindings, knowing their last use, and each decision is a record", async () => {
  const files = { bindings: join(directory, "bindings.yaml"), log: join(directory, "audit.log") };
  await writeFile(files.bindings, bindings);
  await writeFile(files.log, `${JSON.stringify(event)}\n`);
  const data = ["--data", join(directory, "data")];
  await runCli(["audit", "ingest", files.log, ...data]);
  const review = (...args: readonly string[]) => runCli(["review", ...args, ...data]);
  const list = async () => JSON.parse((await review("list", "q4", "-o", "json")).out);

  expect(await review("list", "q4")).toMatchObject({ code: 3, err: expect.stringContaining("there is no review q4") });
  expect((await review("start", "q4", "-f", files.bindings)).out).toContain("2 bindings are new in q4, of 2; 1 were not seen");
  expect((await review("start", "q4", "-f", files.bindings)).out).toContain("0 bindings are new");
  expect(await list()).toEqual([
    { binding: "ClusterRoleBinding/ops", role: "ClusterRole/cluster-admin", subjects: ["Group/ops"], owner: "platform" },
    {
      binding: "RoleBinding/nlp/agent",
      role: "Role/reader",
      subjects: ["ServiceAccount/nlp/agent"],
      owner: "language",
      lastUse: Date.UTC(2026, 10, 1, 10),
    },
  ]);

  const decide = (binding: string, what: string) => review("decide", "q4", binding, what, "--by", "ada", "--reason", "ended");
  expect(await decide("RoleBinding/nlp/other", "keep")).toMatchObject({
    code: 3,
    err: expect.stringContaining("not in the review"),
  });
  expect((await decide("RoleBinding/nlp/agent", "keep")).code).toBe(0);
  expect((await review("list", "q4")).code).toBe(1);
  expect((await decide("RoleBinding/nlp/agent", "revoke")).out).toContain("kubectl delete rolebinding agent -n nlp");
  expect((await decide("ClusterRoleBinding/ops", "keep")).code).toBe(0);
  expect(
    (await list()).map(({ decision }: { decision: { what: string; by: string } }) => `${decision.what} ${decision.by}`),
  ).toEqual(["keep ada", "revoke ada"]);
  expect((await review("list", "q4")).code).toBe(0);
  expect((await runCli(["audit", "query", "--kind", "review.decided", ...data])).out.trim().split("\n")).toHaveLength(4);
  expect((await runCli(["audit", "verify", ...data])).code).toBe(0);
});
