import type { Host } from "../core/host.ts";
import type { Io } from "./io.ts";

/** What policies may ask of the machine they run on. */
export function nodeHost(io: Io): Host {
  return { now: io.now, random: Math.random };
}
