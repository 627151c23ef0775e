import { describe, expect, test } from "vitest";
import { nearestName } from "./nearest-name.ts";

describe("the nearest name", () => {
  test.each([
    ["imagePullpolicy", ["imagePullPolicy", "image"], "imagePullPolicy"],
    ["image_pull_policy", ["imagePullPolicy"], "imagePullPolicy"],
    ["port", ["ports", "name"], "ports"],
    ["policies", ["policy"], "policy"],
    ["seletcor", ["selector", "template"], "selector"],
    ["horizontalpodautoscalars", ["horizontalpodautoscalers"], "horizontalpodautoscalers"],
    ["env", ["end", "image"], undefined],
    ["limits", ["requests", "claims"], undefined],
    ["tart", ["start", "tarts"], "tarts"],
    ["abcd", ["abcx", "abcy"], undefined],
  ])("of %s among %j is %s", (name, candidates, nearest) => {
    expect(nearestName(name, candidates)).toBe(nearest);
  });
});
