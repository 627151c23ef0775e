import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "../../src/core/json.ts";
import { repository } from "./corpora.ts";
import { onPath } from "./process-cost.ts";

/** Microseconds of CPU. */
export interface CelGoCost {
  readonly evaluate: number;
  readonly prepare: number;
}

/** What cel-go takes for the expression; undefined where there is no Go, or its modules cannot be had. */
export function celGoCost(source: string, object: JsonObject): CelGoCost | undefined {
  if (!onPath("go")) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "castellan-bench-"));
  try {
    const program = join(folder, "bench");
    const cwd = join(repository, "test/oracle/cel");
    execFileSync("go", ["build", "-o", program, "./bench"], { cwd, stdio: "ignore" });
    return JSON.parse(execFileSync(program, [source], { input: JSON.stringify(object), encoding: "utf8" }));
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
