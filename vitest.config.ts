import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "web/src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/fuzz/**", "**/node_modules/**"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // On a shared machine a browser or an API server is late now and then; the report names what was tried twice.
    retry: process.env["CI"] === "true" ? 1 : 0,
  },
});
