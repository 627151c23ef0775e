import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../test/run-cli.ts";
import { exitCodes } from "./exit-code.ts";

const folder = mkdtempSync(join(tmpdir(), "castellan-net-cli-"));
const at = (name: string) => join(folder, name);
const example = (name: string) => `examples/network/${name}`;
const from = (...names: readonly string[]) => names.flatMap((name) => ["-f", example(name)]);

const files: { readonly [name: string]: string } = {
  "broken-flows.jsonl": '{"flow":{"verdict":"FORWARDED"\n',
  "no-flows.txt": "hello\n",
  "catalogue.yaml": "components: [{name: billing, role: king}]\n",
  "own.yaml": "components: [{name: billing, role: app, labels: [{app: billing}], from: [{role: [gateway]}]}]\n",
  "bad-tests.yaml":
    "tests:\n- {from: ai/gateway, to: ai/llm-service, port: 8080, expect: maybe}\n- {from: ai/nobody, to: ai/llm-service, port: 8080, expect: deny}\n",
  "no-tests.yaml": "a: b\n",
  "netassert.yaml": `- name: gateway to llm
  type: k8s
  protocol: tcp
  targetPort: 8080
  exitCode: 0
  src: {k8sResource: {kind: deployment, name: gateway, namespace: ai}}
  dst: {k8sResource: {kind: deployment, name: llm-service, namespace: ai}}
- name: billing to the vector database
  targetPort: 6333
  exitCode: 1
  src: {k8sResource: {kind: deployment, name: billing, namespace: ai}}
  dst: {k8sResource: {kind: statefulset, name: vector-db, namespace: ai}}
`,
  "netassert1.yaml":
    'kubernetes:\n  deployment:\n    "ai:llm-service":\n      "ai:vector-db": TCP:6333\n    "ai:billing":\n      "ai:vector-db": [-TCP:6333, nonsense]\n',
  "cyclonus.json": JSON.stringify({
    pods: ["ai/llm-service", "ai/billing", "ai/vector-db"],
    tables: [{ protocol: "TCP", port: 6333, combined: [".AA", "A.B", "AA."] }],
  }),
};

beforeAll(() => {
  for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content);
});
afterAll(() => rmSync(folder, { recursive: true }));

const net = (...argv: readonly string[]) => runCli(["net", ...argv]);
const platform = from("platform.yaml");

describe("exit codes and what is said on bad input", () => {
  test.each<[string, readonly string[], keyof typeof exitCodes, string]>([
    ["yes", ["can", "ai/gateway", "ai/llm-service", "8080", ...platform], "clean", ""],
    ["no", ["can", "gateway", "llm-service", "8080", ...from("platform.yaml", "1-default-deny.yaml")], "findings", ""],
    ["a port by its name", ["can", "gateway", "llm-service", "http", ...platform], "clean", ""],
    ["all that passes", ["can", "gateway", "vector-db", ...from("platform.yaml", "vector-db-policy.yaml")], "findings", ""],
    ["neither files nor cluster", ["list"], "usage", "name manifests: paths, - for standard input, or --cluster"],
    ["a path instead of -f", ["can", "ai/gateway", "ai/llm-service", "8080", example("platform.yaml")], "clean", ""],
    ["a path and no port", ["can", "gateway", "vector-db", example("platform.yaml")], "clean", ""],
    [
      "paths and -f together",
      ["can", "gateway", "llm-service", "8080", example("1-default-deny.yaml"), ...platform],
      "findings",
      "",
    ],
    ["a folder where a port is read", ["can", "gateway", "llm-service", "examples", ...platform], "usage", "paths come after it"],
    ["a workload that is not there", ["can", "gatway", "llm-service", "80", ...platform], "usage", "did you mean gateway?"],
    [
      "a name that nothing is near to",
      ["can", "ai/zzzzzz", "llm-service", "80", ...platform],
      "usage",
      "ai has gateway, llm-service",
    ],
    ["a port that is none", ["can", "gateway", "llm-service", "80000", ...platform], "usage", "they go from 1 to 65535"],
    [
      "a port that is not declared",
      ["can", "gateway", "llm-service", "grpc", ...platform],
      "usage",
      "has no port named grpc; it has http",
    ],
    [
      "a protocol that policies do not know",
      ["can", "gateway", "llm-service", "80/icmp", ...platform],
      "usage",
      "icmp is not one of TCP, UDP, SCTP",
    ],
    ["a file that is not there", ["list", "-f", "absent.yaml"], "incomplete", "castellan: absent.yaml: there is no such file"],
    ["a broken block", ["list", "--pod-cidr", "10.0.0.0/99", ...platform], "usage", "is no block of addresses"],
    ["nothing changes", ["diff", example("platform.yaml"), example("platform.yaml")], "clean", ""],
    ["something changes", ["diff", example("1-default-deny.yaml"), ...platform], "findings", ""],
    ["one state alone", ["diff", example("1-default-deny.yaml")], "usage", "name the state before and the state after"],
    [
      "three states",
      ["diff", example("1-default-deny.yaml"), example("platform.yaml"), ...platform],
      "usage",
      "name either two states",
    ],
    [
      "assertions that hold",
      ["test", example("assertions.yaml"), ...from("platform.yaml", "vector-db-policy.yaml")],
      "clean",
      "",
    ],
    ["assertions that do not", ["test", example("assertions.yaml"), ...platform], "findings", ""],
    ["assertions that cannot be read", ["test", at("bad-tests.yaml"), ...platform], "incomplete", "NETWORK_TEST_INVALID"],
    ["no assertions", ["test", at("no-tests.yaml"), ...platform], "incomplete", "no assertions: write tests"],
    ["neither flows nor intent", ["suggest", ...platform], "usage", "name either --flows or --intent"],
    ["flows that are not there", ["suggest", "--flows", "absent.jsonl", ...platform], "incomplete", "FILE_NOT_FOUND"],
    ["flows of no known format", ["replay", "--flows", at("no-flows.txt"), ...platform], "incomplete", "FLOW_FORMAT_UNKNOWN"],
    [
      "a broken flow",
      ["replay", "--flows", at("broken-flows.jsonl"), "--format", "hubble", ...platform],
      "incomplete",
      "broken-flows.jsonl:1:1",
    ],
    [
      "an unknown namespace",
      ["suggest", "--intent", "--in", "nowhere", ...platform],
      "usage",
      "there is no namespace nowhere; there are ai,",
    ],
    [
      "a broken catalogue",
      ["suggest", "--intent", "--catalogue", at("catalogue.yaml"), ...platform],
      "usage",
      "catalogue.yaml:1: components[0].role: king is not one of",
    ],
    ["replay without flows", ["replay", ...platform], "usage", "--flows"],
    ["standard input twice", ["replay", "--flows", "-", "-f", "-"], "usage", "standard input can be read once"],
    [
      "flows that would be denied",
      ["replay", "--flows", example("flows.jsonl"), "--policies", example("1-default-deny.yaml"), ...platform],
      "findings",
      "",
    ],
    ["flows that would not", ["replay", "--flows", example("flows.jsonl"), ...platform], "clean", ""],
    ["a focus that is not there", ["graph", "--focus", "nobody", ...platform], "usage", "no workload is called nobody"],
    ["nothing to minimise", ["minimise", ...from("platform.yaml", "1-default-deny.yaml")], "clean", ""],
    ["findings", ["audit", ...from("platform.yaml", "1-default-deny.yaml")], "findings", ""],
    [
      "findings that nobody fails on",
      ["audit", "--fail-on", "never", ...from("platform.yaml", "1-default-deny.yaml")],
      "clean",
      "",
    ],
    ["exposure", ["exposure", ...platform], "clean", ""],
    ["a matrix", ["matrix", ...platform], "clean", ""],
  ])("%s", async (_, argv, code, message) => {
    const result = await net(...argv);
    expect(result.err).toContain(message);
    expect(result.code).toBe(exitCodes[code]);
  });
});

describe("the three policies of the text, one after the other", () => {
  const steps = ["platform.yaml", "1-default-deny.yaml", "2-allow-monitoring.yaml", "3-restrict-egress.yaml"];
  const upTo = (n: number) => from(...steps.slice(0, n + 1));
  const diff = async (n: number) => (await net("diff", example(steps[n] ?? ""), ...upTo(n - 1))).out;
  const can = async (a: string, b: string, port: string) => net("can", a, b, port, "--explain", ...upTo(3));

  test("default deny closes everything in and out of the namespace", async () => {
    expect((await diff(1)).replace(/ +/g, " ")).toBe(
      " FROM TO CONNECTIONS\n- lost all 7 of ai every workload, any address all connections\n- lost observability/prometheus[Deployment], any address all 7 of ai all connections\n\n70 pairs lose connections, 0 gain some.\n",
    );
  });

  test("the allow for monitoring opens nothing, as the monitor itself may not go out", async () => {
    expect(await diff(2)).toBe(
      "No connection is gained or lost.\n\nai/model-serving[Deployment] lets ai/monitor[Deployment] in on TCP 8080 now, but ai/monitor[Deployment] is not let out to it.\n",
    );
    const { out, code } = await can("ai/monitor", "ai/model-serving", "8080");
    expect(code).toBe(exitCodes.findings);
    expect(out).toMatch(/egress {3}no .*isolated for egress by NetworkPolicy ai\/default-deny/);
    expect(out).toMatch(/ingress {2}yes .*NetworkPolicy ai\/allow-monitoring allows TCP 8080/);
    expect(out).toContain("2-allow-monitoring.yaml:12:5");
  });

  test("monitoring in another namespace stays blocked: a podSelector alone means the policy's own namespace", async () => {
    const { out, code } = await can("observability/prometheus", "ai/model-serving", "8080");
    expect(code).toBe(exitCodes.findings);
    expect(out).toMatch(/egress {3}yes/);
    expect(out).toMatch(/ingress {2}no .*no rule allows TCP 8080 from observability\/prometheus/);
  });

  test("restricted egress opens one range on one port, and names cannot be asked for", async () => {
    expect(await diff(3)).toMatch(
      /\+ gained {2}ai\/data-ingestion\[Deployment\] {2}10\.0\.0\.0\/16 {2}TCP 5432\n\n0 pairs lose connections, 1 gain some/,
    );
    expect((await can("ai/data-ingestion", "10.0.3.17", "5432")).code).toBe(exitCodes.clean);
    expect((await can("ai/data-ingestion", "10.1.0.1", "5432")).code).toBe(exitCodes.findings);
    const dns = await can("ai/data-ingestion", "10.96.0.10", "53/udp");
    expect(dns.code).toBe(exitCodes.findings);
    expect(dns.out).toContain("no rule allows UDP 53");
  });
});

test("the audit of the three policies says what each of them lacks", async () => {
  const three = from("platform.yaml", "1-default-deny.yaml", "2-allow-monitoring.yaml", "3-restrict-egress.yaml");
  const { findings } = JSON.parse((await net("audit", "-o", "json", ...three)).out);
  const said = findings.map(
    (f: { check: { policy: string }; resource: { name: string } }) => `${f.check.policy} ${f.resource.name}`,
  );
  expect(said).toContain("network/blocked-egress default-deny");
  expect(said).toContain("network/one-sided allow-monitoring");
  expect(said).toContain("network/missing-dns restrict-egress");
});

describe("gateway, inference, vector database", () => {
  test("the policy of the text keeps everybody but the LLM service out", async () => {
    const { out } = await net("list", "--to", "ai/vector-db", ...from("platform.yaml", "vector-db-policy.yaml"));
    expect(out.replace(/ +/g, " ")).toBe(
      "FROM TO CONNECTIONS\nai/llm-service[Deployment] ai/vector-db[StatefulSet] all connections\n",
    );
  });

  test("the suggestion opens exactly that chain, step by step", async () => {
    const { out } = await net("suggest", "--intent", "-o", "json", "--in", "ai", ...platform);
    const answer = JSON.parse(out);
    expect(answer.steps.map((s: { title: string; gained: number; lost: number }) => [s.title, s.lost, s.gained])).toEqual([
      ["Default deny", 70, 0],
      ["Names and the API server", 0, 0],
      ["Entrances", 0, 4],
      ["Data", 0, 2],
      ["Monitoring", 0, 7],
      ["The outside", 0, 2],
    ]);
    writeFileSync(at("suggested.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items: answer.objects }));
    const ask = async (a: string, b: string) => (await net("can", a, b, ...platform, "-f", at("suggested.json"))).code;
    expect(await ask("ai/gateway", "ai/llm-service")).toBe(exitCodes.clean);
    expect(await ask("ai/llm-service", "ai/vector-db")).toBe(exitCodes.clean);
    expect(await ask("ai/gateway", "ai/vector-db")).toBe(exitCodes.findings);
    expect(await ask("ai/billing", "ai/vector-db")).toBe(exitCodes.findings);
  });

  test.each(["networkpolicy", "cilium", "calico", "cnp"])("as %s it opens the same chain", async (target) => {
    const { out } = await net("suggest", "--intent", "--target", target, "--in", "ai", "-o", "yaml", ...platform);
    writeFileSync(at("chain.yaml"), out);
    const ask = async (a: string, b: string, port: string) =>
      (await net("can", a, b, port, ...platform, "-f", at("chain.yaml"))).code;
    expect(await ask("ai/gateway", "ai/llm-service", "8080")).toBe(exitCodes.clean);
    expect(await ask("ai/llm-service", "ai/vector-db", "6333")).toBe(exitCodes.clean);
    expect(await ask("ai/gateway", "ai/vector-db", "6333")).toBe(exitCodes.findings);
    expect(await ask("ai/billing", "ai/vector-db", "6333")).toBe(exitCodes.findings);
  });

  test("components of one's own join in", async () => {
    const { out } = await net("suggest", "--intent", "--catalogue", at("own.yaml"), ...platform);
    expect(out).toMatch(/ai\/billing\[Deployment\] +billing +label app=billing/);
  });
});

describe("flows", () => {
  const flows = ["--flows", example("flows.jsonl")];

  test("the proposal denies nothing of the log; the part held out shows what came late", async () => {
    const answer = JSON.parse((await net("suggest", ...flows, "-o", "json", ...platform)).out);
    expect(answer.replay).toMatchObject({ flows: 86, deniedFlows: 0, connections: 6 });
    expect(answer.heldOut.denied).toMatchObject([
      { from: "ai/gateway[Deployment]", to: "ai/model-serving[Deployment]", port: 8080, team: "nlp" },
    ]);
    expect(answer.unseen).toEqual(["ai/monitor[Deployment]", "ai/billing[Deployment]"]);
    expect(answer.gained).toBe(0);
  });

  test("replay names workload, team and reason", async () => {
    const { out } = await net("replay", ...flows, "--policies", example("1-default-deny.yaml"), "-o", "csv", ...platform);
    expect(out.split("\r\n")[0]).toBe("FROM,TO,PORT,FLOWS,TEAM,WHY");
    expect(out).toMatch(
      /observability\/prometheus\[Deployment\],ai\/model-serving\[Deployment\],TCP 8080,21,platform,"ingress: /,
    );
  });

  test.each(["networkpolicy", "cilium", "calico", "cnp"])("%s objects are read back without a complaint", async (target) => {
    const { out } = await net("suggest", ...flows, "--target", target, "-o", "yaml", ...platform);
    writeFileSync(at("proposal.yaml"), out);
    const { err, code } = await net("replay", ...flows, "--policies", at("proposal.yaml"), ...platform);
    expect(err).toBe("");
    expect(code).toBe(exitCodes.clean);
  });
});

describe("assertions in other people's formats", () => {
  const policies = from("platform.yaml", "vector-db-policy.yaml");

  test.each([
    ["netassert 2", "netassert.yaml", "2 of 2 assertions hold.\n", exitCodes.clean],
    ["netassert 1", "netassert1.yaml", "2 of 2 assertions hold.\n", exitCodes.incomplete],
    ["a truth table of cyclonus", "cyclonus.json", "6 of 6 assertions hold.\n", exitCodes.clean],
  ])("%s", async (_, file, out, code) => {
    const result = await net("test", at(file), ...policies);
    expect(result.out).toBe(out);
    expect(result.code).toBe(code);
  });

  test("a failed one says which policy decided, and where the assertion stands", async () => {
    const { out } = await net("test", example("assertions.yaml"), ...from("platform.yaml"));
    expect(out).toMatch(
      /fail {4}only the LLM service reaches the vector database {2}ai\/gateway .* all connections .*assertions\.yaml:3:3/,
    );
    expect(out).toContain("5 of 10 assertions hold.");
  });
});

describe("drawings", () => {
  const policies = from("platform.yaml", "vector-db-policy.yaml");

  test.each([
    ["mermaid", /^flowchart LR\n/, /-->\|"all connections"\|/],
    ["dot", /^digraph network \{/, /"ai\/llm-service\[Deployment\]" -> "ai\/vector-db\[StatefulSet\]"/],
    ["svg", /^<svg xmlns=/, /<title>llm-service to vector-db: all connections<\/title>/],
    ["json", /^\{/, /"label": "vector-db"/],
    ["csv", /^FROM,TO,CONNECTIONS\r\n/, /ai\/llm-service,ai\/vector-db,all connections/],
    ["md", /^\| FROM \| TO/, /ai\/llm-service \| ai\/vector-db/],
  ])("%s", async (format, start, holds) => {
    const { out } = await net("graph", "-o", format, ...policies);
    expect(out).toMatch(start);
    expect(out).toMatch(holds);
  });

  test("the page holds all it needs, and nothing that runs but its own script", async () => {
    const { out } = await net("graph", "-o", "html", ...policies);
    expect(out).toMatch(
      /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-/,
    );
    expect(out).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(out).not.toMatch(/ style="/);
  });

  test("one hop around a workload", async () => {
    const { out } = await net("graph", "--focus", "vector-db", "-o", "table", ...policies);
    expect(out.replace(/ +/g, " ")).toContain("ai/llm-service ai/vector-db all connections");
  });
});

const kubeflow = join(
  process.env["CASTELLAN_CONFORMANCE"] ?? "../shared/conformance",
  "real-manifests/kubeflow__manifests/kustomize/example-full-platform.yaml",
);

describe.runIf(existsSync(kubeflow))("Kubeflow's full platform", () => {
  const input = ["-f", kubeflow];

  test("what is exposed", async () => {
    const answer = JSON.parse((await net("exposure", "-o", "json", ...input)).out);
    const open = answer.exposure.filter((e: { protected: boolean }) => !e.protected);
    expect(open.filter((e: { direction: string }) => e.direction === "egress")).toHaveLength(78);
    const outside = answer.exposure.filter(
      (e: { direction: string; protected: boolean; external: unknown[] }) =>
        e.direction === "ingress" && e.protected && e.external.length > 0,
    );
    expect(outside.map((e: { workload: string }) => e.workload)).toContain("istio-system/istiod[Deployment]");
    expect(outside).toHaveLength(10);
  });

  test("six of its forty policies select nothing, with their places", async () => {
    const { findings } = JSON.parse((await net("audit", "-o", "json", "--fail-on", "never", ...input)).out);
    const nothing = findings.filter((f: { check: { policy: string } }) => f.check.policy === "network/selects-nothing");
    const places = nothing.map(
      (f: { resource: { name: string }; location: { start: { line: number } } }) => `${f.resource.name}:${f.location.start.line}`,
    );
    expect(places.sort()).toEqual([
      "jobset-webhook:1440",
      "model-catalog:1774",
      "model-registry-ui:1830",
      "model-registry:1806",
      "trainer-webhook:1457",
      "training-operator-webhook:1974",
    ]);
  });

  test("a suggestion keeps all that its policies allow on purpose, and opens nothing", async () => {
    const answer = JSON.parse((await net("suggest", "--intent", "-o", "json", ...input)).out);
    expect(answer.purpose).toEqual({ pairs: 1636, broken: [] });
    expect(answer.gained).toBe(0);
    expect(answer.lost).toBeGreaterThan(1000);
  });

  test("78 workloads are drawn with less than 40 nodes", async () => {
    const graph = JSON.parse((await net("graph", "-o", "json", ...input)).out);
    expect(graph.nodes.length).toBeLessThan(40);
  });
});
