import { expect, test } from "vitest";
import { bytesPassed } from "./passing-bytes.ts";

test("what has passed by does not pile up", () => {
  const piece = 16 * 1024;
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let passed = 0; passed < 200 * 1024 * 1024; passed += piece) {
    bytesPassed(new Uint8Array(piece).length);
    if (passed % (1024 * 1024) === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(16 * 1024 * 1024);
});
