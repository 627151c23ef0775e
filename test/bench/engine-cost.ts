import { join } from "node:path";
import { v8Flags } from "../../src/cli/v8-flags.ts";
import { processCost } from "./process-cost.ts";

/** CPU milliseconds. */
export interface EngineCost {
  readonly compile: number;
  readonly judge: number;
}

const runs = 5;

/**
 * What compiling policies and judging objects takes of a scan, without reading and reporting: the least of several
 * processes, each of which starts cold and with V8 as a scan sets it.
 */
export async function engineCost(policies: string, objects: string): Promise<EngineCost> {
  const command = [process.execPath, ...v8Flags("scan"), join(import.meta.dirname, "engine-process.ts"), policies, objects];
  const costs: EngineCost[] = [];
  for (let i = 0; i < runs; i++) costs.push(JSON.parse((await processCost(command, policies)).out));
  return {
    compile: Math.min(...costs.map((cost) => cost.compile)),
    judge: Math.min(...costs.map((cost) => cost.judge)),
  };
}
