import type { Rule, Term } from "../ast.ts";
import { visitBodyTerms, visitTerms } from "../syntax/visit.ts";
import { dataPath, type RuleNode, rulesReached } from "./rule-tree.ts";

/** Which rules others may need; found out once for each. */
export class Dependencies {
  readonly #tree: RuleNode;
  readonly #known = new Map<Rule, ReadonlySet<Rule>>();

  constructor(tree: RuleNode) {
    this.#tree = tree;
  }

  /** The rules (and else branches) that a rule refers to, its own else branches left out. */
  of(rule: Rule): ReadonlySet<Rule> {
    const known = this.#known.get(rule) ?? this.#find(rule);
    this.#known.set(rule, known);
    return known;
  }

  #find({ head, body }: Rule): ReadonlySet<Rule> {
    const found = new Set<Rule>();
    const visit = (term: Term): boolean => {
      const path = dataPath(term);
      if (path !== undefined) for (const reached of rulesReached(this.#tree, path)) found.add(reached);
      return true;
    };
    visitBodyTerms(body, visit);
    for (const term of [...head.ref.slice(1), ...head.args, head.key, head.value]) {
      if (term !== undefined) visitTerms(term, visit);
    }
    return found;
  }
}
