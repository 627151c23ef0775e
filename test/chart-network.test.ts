import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { deployed, renderChart, replicated, withGateway, withoutHelm } from "./chart.ts";
import { runCli } from "./run-cli.ts";

/** Pods that might want something of the server, each alone in a namespace of its own. */
const neighbours = ["monitoring/prometheus", "ingress-nginx/controller", "nlp/notebook", "castellan/other"].flatMap((name) => {
  const [namespace, workload] = name.split("/");
  const labels = { app: workload };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "main" }] } };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { "kubernetes.io/metadata.name": namespace } } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: workload, namespace },
      spec: { selector: { matchLabels: labels }, template },
    },
  ];
});

const directory = mkdtempSync(join(tmpdir(), "castellan-chart-network-"));
afterAll(() => rmSync(directory, { recursive: true }));
const write = (name: string, text: string) => {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
};
const others = write("neighbours.yaml", neighbours.map((object) => JSON.stringify(object)).join("\n---\n"));

/** By our own network engine: whether `from` reaches `to` at a port, as the documents say. */
async function reaches(from: string, to: string, port: string, files: readonly string[]): Promise<boolean> {
  const { code, out, err } = await runCli([
    "net",
    "can",
    from,
    to,
    port,
    ...files,
    others,
    "--pod-cidr",
    "10.244.0.0/16",
    "-o",
    "json",
  ]);
  expect([err, code < 2]).toEqual(["", true]);
  return JSON.parse(out).allowed;
}

const server = "castellan/castellan";
const [prometheus, controller, notebook, other] = [
  "monitoring/prometheus",
  "ingress-nginx/controller",
  "nlp/notebook",
  "castellan/other",
];
const ofNamespace = (name: string) => `[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"${name}"}}}]`;
const ingress = ["--set", "ingress.enabled=true,ingress.host=castellan.example.com"];
const cidrs = "networkPolicy.apiServerCidrs={10.0.0.0/28},networkPolicy.databaseCidrs={10.3.0.5/32}";

/** Who reaches what of whom: the callers that do, of all that are asked. */
interface Reach {
  readonly to: string;
  readonly port: string;
  readonly callers: { readonly [from: string]: boolean };
}

const cases: readonly { readonly title: string; readonly values: readonly string[]; readonly reach: readonly Reach[] }[] = [
  {
    title: "as it is",
    values: [],
    reach: [
      {
        to: server,
        port: "8080",
        callers: { [prometheus]: true, [controller]: false, [notebook]: false, [other]: false, internet: false },
      },
      { to: server, port: "9443", callers: { apiserver: true } },
      { to: server, port: "8443", callers: { [notebook]: false, internet: false } },
      { to: "apiserver", port: "6443", callers: { [server]: true } },
      { to: "10.3.0.5", port: "5432", callers: { [server]: false } },
      { to: notebook, port: "8888", callers: { [server]: false } },
    ],
  },
  {
    title: "with an ingress",
    values: [...ingress, "--set-json", `networkPolicy.console.from=${ofNamespace("ingress-nginx")}`],
    reach: [
      {
        to: server,
        port: "8080",
        callers: { [prometheus]: true, [controller]: true, [notebook]: false, [other]: false, internet: false },
      },
      { to: server, port: "8443", callers: { [controller]: false } },
    ],
  },
  {
    title: "with Prometheus elsewhere",
    values: ["--set-json", `networkPolicy.metrics.from=[{"podSelector":{"matchLabels":{"app":"other"}}}]`],
    reach: [{ to: server, port: "8080", callers: { [prometheus]: false, [other]: true, [notebook]: false } }],
  },
  {
    title: "with nobody who scrapes",
    values: ["--set-json", "networkPolicy.metrics.from=[]"],
    reach: [{ to: server, port: "8080", callers: { [prometheus]: false, [notebook]: false, internet: false } }],
  },
  {
    title: "with several replicas",
    values: ["--set", replicated],
    reach: [
      { to: "10.3.0.5", port: "5432", callers: { [server]: true } },
      { to: server, port: "8080", callers: { [prometheus]: true, [notebook]: false } },
    ],
  },
  {
    title: "with addresses",
    values: ["--set", `${replicated},${cidrs}`],
    reach: [
      { to: "10.3.0.5", port: "5432", callers: { [server]: true } },
      { to: "10.3.0.6", port: "5432", callers: { [server]: false } },
      { to: server, port: "9443", callers: { "10.0.0.3": true, "10.0.1.3": false, [notebook]: false } },
    ],
  },
  {
    title: "with the gateway",
    values: ["--set", withGateway],
    reach: [
      { to: server, port: "8443", callers: { internet: true, [notebook]: true } },
      { to: server, port: "8080", callers: { internet: false, [notebook]: false } },
    ],
  },
];

describe.skipIf(withoutHelm !== undefined)("who reaches what of the Helm chart", () => {
  test.each(cases)("$title", async ({ title, values, reach }) => {
    const documents = write(`${title}.yaml`, renderChart(...values));
    for (const { to, port, callers } of reach) {
      const answers: { [from: string]: boolean } = {};
      for (const from of Object.keys(callers)) answers[from] = await reaches(from, to, port, [documents]);
      expect({ to, port, callers: answers }).toEqual({ to, port, callers });
    }
  });

  test.each([
    { missing: "networkPolicy.console.from", values: ingress },
    { missing: "ingress.host", values: ["--set", "ingress.enabled=true,networkPolicy.enabled=false"] },
  ])("refuses an ingress that leads nowhere for want of $missing", ({ missing, values }) => {
    expect(() => renderChart(...values)).toThrow(missing);
  });
});

describe("who reaches the console of the plain manifests", () => {
  const manifests = join(deployed, "castellan.yaml");
  const addition = join(deployed, "console.yaml");
  test.each([
    { from: controller, files: [manifests], allowed: false },
    { from: controller, files: [manifests, addition], allowed: true },
    { from: prometheus, files: [manifests, addition], allowed: true },
    { from: notebook, files: [manifests, addition], allowed: false },
    { from: "internet", files: [manifests, addition], allowed: false },
  ])("$from, with $files.length files: $allowed", async ({ from, files, allowed }) => {
    expect(await reaches(from, server, "8080", files)).toBe(allowed);
  });
});
