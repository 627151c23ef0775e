import type { Node } from "./ast.ts";

/**
 * How often a result can hold the data that an expression is applied to: `[@, @] | [@, @]` repeats it four times. The
 * copies are shared, so they cost nothing until somebody writes the result out; a bound keeps that affordable.
 */
export function multiplicity(node: Node): number {
  switch (node.kind) {
    case "field":
    case "current":
    case "binding":
    case "literal":
    case "index":
    case "slice":
    case "comparison":
    case "not":
      return 1;
    case "chain":
    case "pipe":
    case "projection":
    case "values":
    case "filter":
      return multiplicity(node.left) * multiplicity(node.right);
    case "flatten":
      return multiplicity(node.left);
    case "or":
    case "and":
      return Math.max(multiplicity(node.left), multiplicity(node.right));
    case "list":
      return sum(node.items);
    case "hash":
      return sum(node.members.map(({ value }) => value));
    case "call": {
      // The body of `map` is applied to what the other argument gives.
      const [body, ...others] = node.args;
      return node.name === "map" && body !== undefined ? multiplicity(body) * sum(others) : sum(node.args);
    }
    case "reference":
      return multiplicity(node.operand);
  }
}

function sum(nodes: readonly Node[]): number {
  return Math.max(
    1,
    nodes.reduce((total, node) => total + multiplicity(node), 0),
  );
}
