import type { FieldProblem } from "./problem.ts";

/** Who judges the object: the decoder of a built-in kind, or the schema of a CustomResourceDefinition. */
export type Judge = "built-in" | "custom";

/** What the API server does about a problem, as a sentence. */
export function consequence(kind: Exclude<FieldProblem["kind"], "unknown">, judge: Judge): string {
  switch (kind) {
    case "type":
      return judge === "built-in"
        ? "The API server cannot decode the object and refuses it."
        : "The API server refuses the object.";
    case "format":
    case "enum":
    case "missing":
      return "The API server refuses the object.";
  }
}
