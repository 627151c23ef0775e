import { controlPlaneBinaries, helmBinary, kubeletBinary, programs, registryBinary } from "./binaries.ts";

// Run before the tests: building takes longer than any of them waits.
for (const find of [() => controlPlaneBinaries(programs), kubeletBinary, registryBinary, helmBinary]) {
  const reason = await find().then(
    (found) => (found.available ? undefined : found.reason),
    (error: unknown) => {
      if (process.env["CI"] === "true") throw error;
      return String(error);
    },
  );
  if (reason !== undefined) process.stderr.write(`What needs it will not be tested: ${reason}\n`);
}
