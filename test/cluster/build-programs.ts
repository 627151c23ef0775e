import { controlPlaneBinaries, kubeletBinary, programs } from "./binaries.ts";

// Run before the tests: building takes longer than any of them waits.
for (const found of [await controlPlaneBinaries(programs), await kubeletBinary()]) {
  if (!found.available) process.stderr.write(`What needs a real API server will not be tested: ${found.reason}\n`);
}
