import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { documentOf } from "../../core/schedule/schedule.testing.ts";
import { compileDirectory } from "./directory.ts";
import { mayFill } from "./may-fill.ts";
import { ada, asked, base, directory, monday, offers, person } from "./rules.testing.ts";

describe("who may approve", () => {
  const slotOf = (approval: JsonObject, who = ada, at = monday) =>
    offers({ ...base, approvals: [approval] }, who, asked(), { at })[0]?.slots[0];
  test.each([
    { from: ["group:/platform/oncall"], approvers: { groups: ["/platform/oncall"], humans: [] } },
    { from: ["human:grace"], approvers: { groups: [], humans: ["grace"] } },
    { from: ["manager-of(requester)"], approvers: { groups: [], humans: ["grace"] } },
    { from: ["on-call:ml-platform/primary"], approvers: { groups: [], humans: ["grace"] } },
    { from: ["on-call:ml-platform"], approvers: { groups: [], humans: ["grace", "ben"] } },
    { from: ["on-call:pagerduty/PABC"], approvers: { groups: [], humans: ["cem"] } },
    { from: ["on-call:pagerduty/POTHER"], approvers: { groups: [], humans: [] } },
    { from: ["on-call:opsgenie/ml"], approvers: { groups: [], humans: [] } },
    { from: ["human:grace", "group:g"], approvers: { groups: ["g"], humans: ["grace"] } },
  ])("$from", ({ from, approvers }) => {
    // 23 November 2026 is in the 47th week of the rotation: an even turn.
    expect(slotOf({ from })?.approvers).toEqual(approvers);
  });

  test("the manager of somebody whom the directory does not know is nobody", () => {
    expect(slotOf({ from: ["manager-of(requester)"] }, person("9", ["/ml/dev"]))?.approvers).toEqual({ groups: [], humans: [] });
  });

  const separated = slotOf({ from: ["group:approvers"], otherTeam: true });
  test.each([
    { of: "another team", who: person("4", ["approvers"]), may: true },
    { of: "the own team", who: person("2", ["approvers"]), may: false },
    { of: "the own team by its group", who: person("3", ["approvers", "/ml/admin"]), may: false },
    { of: "whom the directory does not know", who: person("77", ["approvers"]), may: false },
    { of: "whose team the directory does not know", who: person("8", ["approvers"]), may: false },
    {
      of: "the requester by a second login",
      who: { ...person("1", ["approvers"]), issuer: "https://other", subject: "ada@other", human: "ada" },
      may: false,
    },
    { of: "not in the group", who: person("4", []), may: false },
    { of: "a program", who: person("4", ["approvers"], { isProgram: true }), may: false },
  ])("where duties are separated: $of: $may", ({ who, may }) => {
    expect(separated === undefined ? undefined : mayFill(separated.approvers, who)).toBe(may);
  });

  test("of a requester without a team nobody is of another one", () => {
    const slot = slotOf({ from: ["group:approvers"], otherTeam: true }, person("9", ["/ml/dev"]));
    expect(slot?.approvers).toEqual({ groups: [], humans: [] });
  });

  test.each([
    { of: "nobody is named (T33)", approvers: { groups: [], humans: [] } },
    { of: "an empty group is no group (T33)", approvers: { groups: [""], humans: [""] } },
  ])("nobody may approve where $of", ({ approvers }) => {
    expect([person("3", []), person("4", ["any"]), person("9")].map((who) => mayFill(approvers, who))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("a group is compared whole (T52)", () => {
    const approvers = { groups: ["/tenant-a/admin"], humans: [] };
    const groups = ["/tenant-b/admin", "/tenant-a", "admin", "/tenant-a/admin/sub", "/TENANT-A/admin"];
    expect(groups.map((group) => mayFill(approvers, person("4", [group])))).toEqual(groups.map(() => false));
    expect(mayFill(approvers, person("4", ["/tenant-a/admin"]))).toBe(true);
  });
});

describe("the directory", () => {
  test.each([
    { login: { issuer: "https://idp", subject: "1" }, human: "ada" },
    { login: { issuer: "https://other", subject: "ada@other" }, human: "ada" },
    { login: { issuer: "https://other", subject: "1" }, human: "https://other#1" },
    { login: { issuer: "pagerduty", subject: "PCEM" }, human: "cem" },
  ])("$login is $human", ({ login, human }) => {
    expect(directory.humanOf(login)).toBe(human);
  });

  test.each([
    { people: [{ id: "a" }, { id: "a" }], message: "spec.people[1].id: a is listed twice" },
    {
      people: [
        { id: "a", aliases: [{ issuer: "i", subject: "s" }] },
        { id: "b", aliases: [{ issuer: "i", subject: "s" }] },
      ],
      message: "spec.people[1].aliases[0]: i#s is a login of a, too",
    },
    { people: [{ id: "a", manager: "b" }], message: 'spec.people[0].manager: there is no "b" in the directory' },
    { people: [{ id: "a", manager: "a" }], message: "spec.people[0].manager: a leads nobody but themselves" },
    { people: [{ id: "i#s" }], message: "spec.people[0].id: an id has neither # nor spaces" },
    { people: [{ id: "a", mail: "x" }], message: 'spec.people[0].mail: unknown field "mail"' },
  ])("$message", ({ people, message }) => {
    const compiled = compileDirectory([documentOf("Directory", "d", { people } as JsonObject)]);
    expect(compiled.diagnostics.map((d) => d.message)).toEqual([message]);
  });
});
