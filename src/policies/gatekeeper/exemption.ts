import { nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { RuleContext } from "../policy.ts";
import { fitsGlob } from "./glob.ts";
import type { GatekeeperWorld } from "./world.ts";

/** What Gatekeeper's Config calls its processes. */
export type Process = "webhook" | "mutation-webhook" | "audit";

/** Whether Config leaves the namespace of the object alone, or the object, if it is a namespace. */
export function isExempt(world: GatekeeperWorld, process: Process, { action, object, oldObject }: RuleContext): boolean {
  if (world.exemptions.length === 0) return false;
  const subject = object ?? oldObject;
  if (subject === undefined) return false;
  const isNamespace = action.target.kind === "Namespace" && action.target.group === "";
  const name = isNamespace ? nameOf(subject) : namespaceOf(subject);
  if (name === "") return false;
  return world.exemptions.some(
    ({ processes, namespaces }) =>
      (processes.includes("*") || processes.includes(process)) && namespaces.some((glob) => fitsGlob(glob, name)),
  );
}
