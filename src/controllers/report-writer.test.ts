import { afterEach, expect, test, vi } from "vitest";
import type { Finding } from "../core/finding.ts";
import { asString, type JsonObject, member } from "../core/json.ts";
import { ReportWriter } from "./report-writer.ts";

vi.useFakeTimers();
const running: ReportWriter[] = [];
afterEach(async () => {
  for (const writer of running.splice(0)) await writer.stop();
});

const finding = (name: string, message = "wrong"): Finding => ({
  id: `${name}/${message}`,
  check: { policy: "p", rule: "r" },
  status: "fail",
  severity: "high",
  resource: { group: "", version: "v1", kind: "Pod", namespace: "team", name },
  message,
  controls: [],
});

/** A cluster that serves some groups, and what was asked of it. */
function cluster(served: Set<string>, earlier: readonly JsonObject[] = []) {
  const calls: string[] = [];
  return {
    calls,
    serves: (group: string) => served.has(group),
    list: async (_group: string, kind: string) => earlier.filter((report) => report["kind"] === kind),
    apply: async (report: JsonObject) => {
      const results = member(report, "results");
      const source = asString(report["source"]) ?? "-";
      calls.push(
        `${asString(report["apiVersion"])} ${asString(report["kind"])} ${source} ${Array.isArray(results) ? results.length : ""}`,
      );
      return true;
    },
    remove: async (group: string, kind: string, _namespace: string, name: string) => {
      calls.push(`remove ${group} ${kind}${name === "castellan-old" ? " old" : ""}`);
    },
  };
}

function started(writer: ReturnType<typeof cluster>, findings: () => readonly Finding[]) {
  const reports = new ReportWriter({
    writer,
    findings,
    tool: { name: "castellan", version: "1" },
    now: () => 0,
    onTrouble: (error) => {
      throw error;
    },
  });
  running.push(reports);
  return reports;
}

const moment = () => vi.advanceTimersByTimeAsync(1100);

test("only the reports of objects that changed are written, and those without findings removed", async () => {
  const writer = cluster(new Set(["wgpolicyk8s.io", "openreports.io"]), [
    { kind: "PolicyReport", metadata: { namespace: "team", name: "castellan-old" } },
  ]);
  let findings = [finding("a"), finding("b"), finding("b", "worse")];
  const reports = started(writer, () => findings);
  await reports.start();
  await moment();
  const policyReport = "wgpolicyk8s.io/v1alpha2 PolicyReport -";
  expect(writer.calls.splice(0)).toEqual([`${policyReport} 1`, `${policyReport} 2`, "remove wgpolicyk8s.io PolicyReport old"]);
  findings = [finding("a", "other"), finding("c")];
  reports.changed([finding("b"), finding("c")]);
  await moment();
  expect(writer.calls.splice(0)).toEqual([`${policyReport} 1`, "remove wgpolicyk8s.io PolicyReport"]);
  reports.changed([finding("a")]);
  reports.changed([finding("c")]);
  await moment();
  expect(writer.calls).toEqual([`${policyReport} 1`]);
});

test("the kinds are those that are served; everything is written again where others come first", async () => {
  const served = new Set<string>();
  const writer = cluster(served);
  const reports = started(writer, () => [finding("a")]);
  await reports.start();
  await moment();
  expect(writer.calls).toEqual([]);
  served.add("openreports.io");
  reports.changed([]);
  await moment();
  expect(writer.calls.splice(0)).toEqual(["openreports.io/v1alpha1 Report castellan 1"]);
  served.add("wgpolicyk8s.io");
  reports.changed([]);
  await moment();
  expect(writer.calls).toEqual(["wgpolicyk8s.io/v1alpha2 PolicyReport - 1", "remove openreports.io Report"]);
});
