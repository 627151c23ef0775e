import { join } from "node:path";
import type { Case } from "../corpus.ts";
import { kubehound } from "./kubehound.ts";
import { kubesplaining } from "./kubesplaining.ts";
import { rbacTool } from "./rbac-tool.ts";

const sets = [
  ["kubesplaining", kubesplaining],
  ["kubehound", kubehound],
  ["rbac-tool", rbacTool],
] as const;

/** What other scanners say of manifests, snapshots and attacks of theirs; each set in a folder of its name. */
export async function* labels(directory: string): AsyncIterable<Case> {
  for (const [name, cases] of sets) {
    for await (const one of cases(join(directory, name))) yield { id: `${name}/${one.id}`, run: one.run };
  }
}
