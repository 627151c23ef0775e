import { expect, test } from "vitest";
import type { JsonPath, JsonValue } from "../../core/json.ts";
import { pathOfPart, resolvePatternPath } from "./blame.ts";

const image = { image: "a" };
const object: JsonValue = {
  metadata: { labels: { "app.kubernetes.io/name": "x", app: "y" } },
  spec: { containers: [{ name: "a" }, image] },
};

test.each<[string, JsonPath]>([
  ["/spec/containers/1/image/", ["spec", "containers", 1, "image"]],
  ["/metadata/labels/app.kubernetes.io/name/", ["metadata", "labels", "app.kubernetes.io/name"]],
  ["/metadata/labels/other/", ["metadata", "labels"]],
  ["/spec/containers/7/image/", ["spec", "containers"]],
  ["/spec/containers/1/image/x/", ["spec", "containers", 1, "image"]],
  ["/", []],
])("the pattern path %s leads to %j", (path, expected) => {
  expect(resolvePatternPath(object, path)).toEqual(expected);
});

test("a part is found by identity", () => {
  expect(pathOfPart(object, image)).toEqual(["spec", "containers", 1]);
  expect(pathOfPart(object, object)).toEqual([]);
  expect(pathOfPart(object, { ...image })).toBeUndefined();
});
