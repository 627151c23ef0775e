import { describe, expect, test } from "vitest";
import { type AuditedCall, BypassFinder } from "./find-bypass.ts";

const call = (more: Partial<AuditedCall>): AuditedCall => ({
  auditId: "1",
  received: "2026-11-20T10:00:00.000000Z",
  at: 0,
  cluster: "prod",
  caller: "ada@example.com",
  impersonated: undefined,
  verb: "list",
  resource: "pods",
  namespace: "a",
  name: "",
  sources: ["10.0.0.1"],
  userAgent: "kubectl",
  ...more,
});
const gateway = "system:serviceaccount:castellan:castellan-gateway";
const grace = 120_000;

describe("BypassFinder", () => {
  test.each<[string, Partial<AuditedCall>, readonly string[]]>([
    ["T57 a person who calls directly", {}, ["direct-read medium"]],
    ["T57 a person who changes something directly", { verb: "delete" }, ["direct-change high"]],
    ["T57 somebody who impersonates by their own right", { impersonated: "eve" }, ["direct-read medium"]],
    [
      "T56 the gateway's account where no gateway forwarded",
      { caller: gateway, impersonated: "eve" },
      ["gateway-account critical"],
    ],
    ["the gateway's account as itself", { caller: gateway }, []],
    ["a call that the gateway forwarded", { auditId: "known", caller: gateway, impersonated: "eve" }, []],
    ["a direct call under an audit ID that the gateway used", { auditId: "known" }, ["direct-read medium"]],
    ["a part of Kubernetes", { caller: "system:kube-scheduler" }, []],
    ["a workload", { caller: "system:serviceaccount:a:b" }, []],
    ["a cluster without a gateway", { cluster: "other" }, []],
  ])("%s", (_, more, want) => {
    const finder = new BypassFinder((cluster) => (cluster === "prod" ? gateway : undefined));
    finder.audited(call(more));
    finder.forwarded("prod", "known", 5);
    expect(finder.settle(grace - 1)).toEqual([]);
    expect(finder.settle(grace).map(({ finding }) => `${finding.check.rule} ${finding.severity}`)).toEqual(want);
    expect(finder.settle(grace * 2)).toEqual([]);
  });

  test("T56 an audit ID that the gateway forwarded stands for one request, whatever its stages", () => {
    const finder = new BypassFinder(() => gateway);
    const forwarded = { auditId: "known", caller: gateway, impersonated: "eve" };
    finder.forwarded("prod", "known", 5);
    finder.audited(call(forwarded));
    finder.audited(call({ ...forwarded, at: 1 }));
    expect(finder.settle(grace + 1)).toEqual([]);
    finder.forwarded("prod", "known", 6);
    const again = call({ ...forwarded, at: 2, received: "2026-11-20T10:00:01.000000Z", verb: "delete" });
    finder.audited(again);
    expect(finder.settle(grace + 2).map(({ call, finding }) => [call, finding.check.rule])).toEqual([[again, "gateway-account"]]);
  });
});
