import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isArray, type JsonValue, member } from "../../src/core/json.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { type RunningPostgres, startPostgres } from "../database/postgres.ts";
import { ApiServer } from "./api-server.ts";
import { CastellanServer } from "./castellan-server.ts";

const policy = (name: string, kind: string, spec: string, rest = 'pattern: {metadata: {labels: {team: "?*"}}}', context = "") => `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: ${name}}
spec:
  ${spec}
  rules:
    - name: label
      match: {any: [{resources: {kinds: [${kind}]}}]}
      ${context}
      validate: {failureAction: Enforce, message: "label team is required", ${rest}}
`;
const inCel = `
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: in-cel}
spec:
  webhookConfiguration: {timeoutSeconds: 4}
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [podtemplates]}]}
  validations: [{expression: "'team' in object.metadata.?labels.orValue({})", message: label team is required}]
`;
/** Asks somebody who never answers. */
const asking = (origin: string) =>
  policy(
    "asking",
    "LimitRange",
    "webhookConfiguration: {timeoutSeconds: 2}",
    'deny: {conditions: {all: [{key: "{{ score }}", operator: Equals, value: bad}]}}',
    `context: [{name: score, apiCall: {service: {url: "${origin}/score"}, method: GET}}]`,
  );

const paths = {
  ConfigMap: "configmaps",
  Secret: "secrets",
  ServiceAccount: "serviceaccounts",
  LimitRange: "limitranges",
  PodTemplate: "podtemplates",
} as const;

let cluster: Cluster | undefined;
let postgres: RunningPostgres | undefined;
let silent: Server | undefined;
let castellan: CastellanServer | undefined;
let api: ApiServer | undefined;
let directory = "";
let count = 0;

interface Said {
  readonly status: number;
  readonly message: string;
  readonly seconds: number;
}

async function create(kind: keyof typeof paths, labels = { team: "x" }, query = ""): Promise<Said> {
  if (api === undefined) throw new Error("no cluster");
  const metadata = { name: `t${count++}`, namespace: "default", labels };
  const template = kind === "PodTemplate" ? { template: { spec: { containers: [{ name: "c", image: "i" }] } } } : {};
  const start = performance.now();
  const object = { apiVersion: "v1", kind, metadata, ...template };
  const { status, body } = await api.create(`/api/v1/namespaces/default/${paths[kind]}${query}`, object);
  return { status, message: String(body["message"] ?? ""), seconds: (performance.now() - start) / 1000 };
}

beforeAll(async () => {
  const started = await startCluster();
  postgres = await startPostgres();
  if (!started.available || postgres === undefined) return;
  cluster = started;
  api = new ApiServer(started);
  directory = await mkdtemp(join(tmpdir(), "castellan-timeouts-"));
  silent = createServer(() => {});
  const listening = silent.listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  const address = silent.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const policies = join(directory, "policies.yaml");
  const all = [
    policy("usual", "ServiceAccount", ""),
    policy("said", "ResourceQuota", "webhookTimeoutSeconds: 6"),
    policy("quick", "ConfigMap", "webhookConfiguration: {timeoutSeconds: 2}"),
    policy("lenient", "Secret", "webhookConfiguration: {timeoutSeconds: 2, failurePolicy: Ignore}"),
    asking(origin),
    inCel,
  ];
  await writeFile(policies, all.join("---"));
  const flags = ["--kubeconfig", started.kubeconfig, "--policies", policies, "--allow-calls", origin, "--webhook-timeout", "6"];
  castellan = new CastellanServer(join(directory, "data"), flags, { DATABASE_URL: await postgres.create() });
  await castellan.start();
  for (const kind of ["ServiceAccount", "ConfigMap", "Secret", "PodTemplate"] as const)
    await castellan.until(async () => (await create(kind, {} as { team: string })).message.includes("label team is required"));
});

afterAll(async () => {
  await postgres?.thaw().catch(() => {});
  await castellan?.stop();
  api?.close();
  silent?.closeAllConnections();
  silent?.close();
  await cluster?.stop();
  await postgres?.stop();
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

test("each timeout has a webhook", async ({ skip }) => {
  if (api === undefined) return skip("there is no cluster or no PostgreSQL");
  const { body } = await api.send("GET", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/castellan");
  const webhooks: JsonValue = body["webhooks"] ?? [];
  const told = (isArray(webhooks) ? webhooks : []).map(
    (one) => `${String(member(one, "name"))} ${member(one, "timeoutSeconds")}`,
  );
  expect(told).toEqual([
    "validate-deny.castellan.dev 6",
    "validate-deny-2.castellan.dev 2",
    "validate-deny-4.castellan.dev 4",
    "validate-allow-2.castellan.dev 2",
  ]);
  const refused = await castellan?.run("serve", "--webhook-timeout", "31");
  expect(refused).toMatchObject({ code: 3, text: expect.stringContaining("write a number of seconds from 1 to 30") });
});

const late = /cannot be recorded: the database did not answer in time\. Try again in a moment/;

test("a request waits for no policy longer than the policy says, and is told why", async ({ skip }) => {
  if (postgres === undefined || api === undefined) return skip("there is no cluster or no PostgreSQL");
  const asked = await create("LimitRange");
  expect(asked).toMatchObject({
    status: 500,
    message: expect.stringContaining("look-ups that the policies ask for took too long"),
  });
  expect(asked.seconds).toBeLessThan(2);
  await postgres.freeze();
  try {
    const cases = [
      ["ConfigMap", "", 500, 1.4, 2],
      ["Secret", "", 201, 1.4, 2],
      ["PodTemplate", "", 500, 2.9, 4],
      // Its own client waits for less than the webhook may take.
      ["ServiceAccount", "?timeout=3s", 500, 2.2, 3],
      ["ServiceAccount", "", 500, 4.9, 6],
    ] as const;
    const said = await Promise.all(cases.map(([kind, query]) => create(kind, { team: "x" }, query)));
    for (const [n, [kind, query, status, from, to]] of cases.entries()) {
      const answer = said[n];
      const what = `${kind}${query}: ${JSON.stringify(answer)}`;
      expect(answer?.status, what).toBe(status);
      if (status === 500) expect(answer?.message, what).toMatch(late);
      expect(answer?.seconds, what).toBeGreaterThan(from);
      expect(answer?.seconds, what).toBeLessThan(to);
    }
  } finally {
    await postgres.thaw();
  }
  await castellan?.until(async () => (await create("ConfigMap")).status === 201);
});
