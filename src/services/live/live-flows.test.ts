import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadWorkloadCatalogue } from "../../adapters/files/catalog.ts";
import { loadPaths } from "../../adapters/files/load-paths.ts";
import { otlpLines } from "../../analysis/network/flows/otlp.ts";
import { type FlowRow, LiveFlows } from "./live-flows.ts";

const platform = join(import.meta.dirname, "../../../examples/ai-platform");
const recorded = readFileSync(join(platform, "recorded/flows.jsonl"), "utf8").trimEnd().split("\n");
const { documents } = await loadPaths([join(platform, "as-written")]);

function liveFlows() {
  let told = 0;
  const flows = new LiveFlows({
    catalogue: loadWorkloadCatalogue(),
    complete: false,
    documents: () => documents,
    now: () => 0,
    onChange: () => told++,
  });
  return { flows, told: () => told };
}

const short = ({ from, to, names, port, flows, dropped, verdict, differs }: FlowRow) =>
  `${from} -> ${names.join() || to}:${port} x${flows}${dropped > 0 ? ` (${dropped} dropped)` : ""} ${verdict}${differs ? " !" : ""}`;

const rows = [
  "nlp/api-gateway[Deployment] -> nlp/vector-db[StatefulSet]:6333 x3 denied !",
  "recsys/scratch-notebook[Pod] -> nlp/vector-db[StatefulSet]:6333 x4 (4 dropped) denied",
  "nlp/api-gateway[Deployment] -> nlp/llm-service[InferenceService]:8080 x14 allowed",
];

test("recorded flows beside the policies of the sample platform", () => {
  const { flows, told } = liveFlows();
  expect(flows.take(recorded, "flows")).toEqual([]);
  const page = flows.page();
  expect(page.flows).toBe(recorded.length);
  const said = page.rows.map(short);
  expect(said.filter((row) => rows.includes(row))).toEqual(rows);
  expect(page.rows[0]?.why).toContain("NetworkPolicy nlp/vector-db");
  expect(told()).toBe(1);
});

test("the same from a collector: lines, and bodies that are lists of keys", () => {
  const any = (value: unknown): object => {
    if (typeof value === "string") return { stringValue: value };
    if (typeof value === "boolean") return { boolValue: value };
    if (typeof value === "number") return { intValue: String(value) };
    if (Array.isArray(value)) return { arrayValue: { values: value.map(any) } };
    return { kvlistValue: { values: Object.entries(value ?? {}).map(([key, item]) => ({ key, value: any(item) })) } };
  };
  const request = (bodies: readonly object[]) =>
    JSON.parse(
      JSON.stringify({
        resourceLogs: [{ resource: {}, scopeLogs: [{ scope: {}, logRecords: bodies.map((body) => ({ body })) }] }],
      }),
    );
  for (const bodies of [recorded.map((line) => any(line)), recorded.map((line) => any(JSON.parse(line)))]) {
    const { flows } = liveFlows();
    expect(flows.take(otlpLines(request(bodies)) ?? [], "flows")).toEqual([]);
    expect(
      flows
        .page()
        .rows.map(short)
        .filter((row) => rows.includes(row)),
    ).toEqual(rows);
  }
  expect(otlpLines({ resourceSpans: [] })).toBeUndefined();
});

test("only the latest flows are kept, and bad lines are told", () => {
  const { flows } = liveFlows();
  const many = Array.from({ length: 2000 }, () => recorded).flat();
  expect(flows.take([...many, "{"], "flows").map(({ code }) => code)).toEqual(["FLOW_LINE_INVALID"]);
  expect(flows.page().flows).toBe(50_000);
});
