import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/fuzz/**/*.fuzz.ts"],
    // The time is shared out by the suites themselves.
    testTimeout: 0,
    fileParallelism: false,
  },
});
