import { describe, expect, test } from "vitest";
import { flowLogs } from "./flow-logs.ts";

const eks = "arn:aws:eks:eu-west-1:1234:cluster/models";
const clusters = ["staging", "prod", eks];

describe("flowLogs", () => {
  test.each<[string, string, string]>([
    ["/var/run/hubble/events.log", "staging", "/var/run/hubble/events.log"],
    ["prod=/var/log/flows", "prod", "/var/log/flows"],
    ["staging=flows", "staging", "flows"],
    ["prod=a=b", "prod", "a=b"],
    [`${eks}=/var/log/flows`, eks, "/var/log/flows"],
    ["/var/log/day=1/flows", "staging", "/var/log/day=1/flows"],
    ["./prod=flows", "staging", "./prod=flows"],
  ])("%s", (text, cluster, path) => expect(flowLogs([text], clusters)).toEqual([{ cluster, path }]));

  test("a name of nobody is no file", () => {
    expect(() => flowLogs(["prodd=flows"], clusters)).toThrow("no cluster prodd is governed here, but staging, prod, arn");
  });
});
