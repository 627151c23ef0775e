import type { Node } from "./node.ts";
import { documentRules } from "./rules-documents.ts";
import { fieldRules } from "./rules-fields.ts";
import { fragmentRules } from "./rules-fragments.ts";
import { mergeRule } from "./rules-merge.ts";
import { valueRules } from "./rules-values.ts";
import { variableRules } from "./rules-variables.ts";
import type { Schema } from "./schema.ts";
import { Walker } from "./walk.ts";

/** Checks a query against a schema by the rules of the GraphQL specification, section 5. @throws GraphqlProblem */
export function validateQuery(schema: Schema, document: Node): true {
  const rules = [documentRules(), fieldRules, fragmentRules(), mergeRule(), valueRules, variableRules()];
  new Walker(schema, document, rules).walk();
  return true;
}
