import { describe, expect, test } from "vitest";
import { open } from "../../access/machine/open.ts";
import { action, opening, person } from "../../access/machine/people.testing.ts";
import type { AccessRequest, Ask } from "../../access/request.ts";
import { similarDecisions } from "./similar.ts";

function request(id: string, ask: Ask, more: Partial<AccessRequest> = {}): AccessRequest {
  const opened = open(opening({ id, ask }), 0);
  if (!opened.ok) throw new Error(opened.refused.message);
  return { ...opened.request, ...more };
}

const call = (more: Parameters<typeof action>[0]): Ask => ({ type: "action", action: action(more), digest: "" });
const denied = { phase: "denied" } as const;
const now = request("now", call({}));

describe("decisions about what is alike", () => {
  test("the same object first, then the same verb on its kind; the same person before others", () => {
    const others = [
      request("kind", call({ namespace: "other", name: "x" }), denied),
      request("object", call({ verb: "patch" }), denied),
      request("same", call({}), { ...denied, requester: person("zoe") }),
      request("mine", call({}), denied),
    ];
    expect(similarDecisions(now, others).map(({ id }) => id)).toEqual(["mine", "same", "object", "kind"]);
    expect(similarDecisions(now, others)[0]?.alike).toEqual([
      "the same object",
      "the same verb on the same kind",
      "the same namespace",
      "the same person",
    ]);
  });

  test.each<[string, AccessRequest]>([
    ["itself", request("now", call({}), denied)],
    ["what nobody has decided", request("pending", call({}))],
    ["another cluster", request("cluster", call({}), { ...denied, cluster: "staging" })],
    ["another way to ask", request("session", { type: "session", namespace: "ml", milliseconds: 1, mode: "gateway" }, denied)],
    ["nothing but the namespace in common", request("namespace", call({ resource: "services", name: "x" }), denied)],
  ])("%s is not", (_, other) => {
    expect(similarDecisions(now, [other])).toEqual([]);
  });

  test("what was granted counts as approved, whatever became of it", () => {
    const grant = { id: "g", from: 0, until: 1, group: "castellan:grant:x", use: "done" } as const;
    expect(similarDecisions(now, [request("used", call({}), { phase: "ended", grant })])).toMatchObject([{ phase: "granted" }]);
  });
});
