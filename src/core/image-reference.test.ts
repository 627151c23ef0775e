import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatImage, parseImageReference, withDefaultRegistry } from "./image-reference.ts";

const sha = `sha256:${"ab".repeat(32)}`;

describe("a reference", () => {
  test.each([
    ["busybox", "docker.io", "busybox", "busybox", "latest", ""],
    ["library/busybox:1.36", "docker.io", "library/busybox", "busybox", "1.36", ""],
    ["ghcr.io/acme/app:v1", "ghcr.io", "acme/app", "app", "v1", ""],
    ["localhost/app", "localhost", "app", "app", "latest", ""],
    ["localhost:5000/a/b/c", "localhost:5000", "a/b/c", "c", "latest", ""],
    ["[::1]:5000/app:1", "[::1]:5000", "app", "app", "1", ""],
    [`app@${sha}`, "docker.io", "app", "app", "", sha],
    [`r.example/app:1@${sha}`, "r.example", "app", "app", "1", sha],
    ["a_b/c__d/e---f:x", "docker.io", "a_b/c__d/e---f", "e---f", "x", ""],
    ["Upper/app", "Upper", "app", "app", "latest", ""],
  ])("%s", (text, registry, path, name, tag, digest) => {
    const parsed = parseImageReference(text);
    expect(parsed).toEqual({ ok: true, value: { registry, path, name, tag, digest } });
  });

  test.each([
    ["", "invalid reference format"],
    [":latest", "invalid reference format"],
    ["app:", "invalid reference format"],
    ["app:ta g", "invalid reference format"],
    ["a//b", "invalid reference format"],
    ["-app", "invalid reference format"],
    ["UPPER", "repository name must be lowercase"],
    ["app@sha256:abc", "invalid reference format"],
    [`app@sha256:${"ab".repeat(16)}`, "invalid checksum digest length"],
    [`app@sha256:${"AB".repeat(32)}`, "invalid checksum digest format"],
    [`app@md5:${"ab".repeat(16)}`, "unsupported digest algorithm"],
    [`r.example/${"a".repeat(256)}`, "repository name must not be more than 255 characters"],
    ["a".repeat(5000), "invalid reference format"],
  ])("%s is refused", (text, message) => {
    expect(parseImageReference(text)).toEqual({ ok: false, message });
  });
});

test.each([
  ["busybox", "docker.io/busybox"],
  ["acme/app", "docker.io/acme/app"],
  ["acme.io/app", "acme.io/app"],
  ["host:1/app", "host:1/app"],
  ["localhost/app", "localhost/app"],
])("%s with a registry is %s", (text, expected) => {
  expect(withDefaultRegistry(text)).toBe(expected);
});

test("what is written reads back", () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const image = fc.record({
    registry: part.map((p) => `${p}.example`),
    path: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
    tag: fc.stringMatching(/^\w[\w.-]{0,20}$/),
  });
  fc.assert(
    fc.property(image, ({ registry, path, tag }) => {
      const value = { registry, path, name: path.split("/").at(-1) ?? "", tag, digest: "" };
      expect(parseImageReference(formatImage(value))).toEqual({ ok: true, value });
    }),
  );
});

test("no text takes it out of step", () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseImageReference(text)));
});
