import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface ProcessCost {
  /** CPU time, user and system, in milliseconds. */
  readonly cpu: number;
  /** Peak resident memory in MB; undefined where the system does not tell. */
  readonly peak: number | undefined;
  readonly status: number;
  readonly out: string;
}

/** Between two looks at a process's peak memory, in milliseconds. */
const interval = 5;

/** Runs a command to its end and says what it cost. bash's `time` counts the CPU of the command and its children. */
export async function processCost(command: readonly string[], cwd: string): Promise<ProcessCost> {
  const script = 'TIMEFORMAT="castellan-bench %U %S"; time "$@"';
  const child = spawn("bash", ["-c", script, "bash", ...command], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  let peak = 0;
  const poll = setInterval(() => {
    peak = Math.max(peak, peakOfChildren(child.pid));
  }, interval);
  const status = await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  clearInterval(poll);
  const times = /castellan-bench ([\d.]+) ([\d.]+)/.exec(err);
  if (times === null) throw new Error(`${command.join(" ")}: ${err}`);
  return { cpu: (Number(times[1]) + Number(times[2])) * 1000, peak: peak === 0 ? undefined : peak, status, out };
}

/** Peak memory of the processes that one started, in MB; 0 where /proc does not tell. */
function peakOfChildren(pid: number | undefined): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    const peaks = children
      .filter((c) => c !== "")
      .map((c) => /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${c}/status`, "utf8"))?.[1]);
    return peaks.reduce((sum, kb) => sum + Number(kb ?? 0), 0) / 1024;
  } catch {
    return 0;
  }
}

/** The run that cost least: whatever else the machine does only adds. */
export async function cheapest(runs: number, command: readonly string[], cwd: string): Promise<ProcessCost> {
  const costs: ProcessCost[] = [];
  for (let i = 0; i < runs; i++) costs.push(await processCost(command, cwd));
  return costs.reduce((a, b) => (b.cpu < a.cpu ? b : a));
}

/** Whether a program is on PATH. */
export function onPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}
