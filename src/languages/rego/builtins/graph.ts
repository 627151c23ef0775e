import { anyOf, anyType, arrayOf, objectOf, setOf } from "../types/type.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import { type RegoObject, RegoSet, type Value } from "../values/value.ts";
import type { Builtin, BuiltinContext } from "./builtin.ts";
import { binary, declared, isArray, isSet, itemsOf, listOrSet, object } from "./operand.ts";

const vertices = anyOf(arrayOf(anyType), setOf(anyType));
const graphOperand = declared(objectOf(anyType, vertices), object);
const startOperand = listOrSet(vertices, ["{array, set}"]);

const edgesOf = (edges: Value): readonly Value[] => (isArray(edges) || isSet(edges) ? itemsOf(edges) : []);

function reachable(graph: RegoObject, start: readonly Value[], context: BuiltinContext): RegoSet {
  const reached = new Map<MapKey, Value>();
  const queue = [...start];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    context.spend(1);
    const edges = graph.get(node);
    if (edges === undefined || reached.has(mapKey(node))) continue;
    reached.set(mapKey(node), node);
    for (const neighbour of edgesOf(edges)) if (!reached.has(mapKey(neighbour))) queue.push(neighbour);
  }
  return RegoSet.own(reached);
}

/** All ways from each start to where no edge leads on, or back to where the way has been. */
function paths(graph: RegoObject, start: readonly Value[], context: BuiltinContext): RegoSet {
  const found: Value[] = [];
  const follow = (node: Value, path: readonly Value[], visited: RegoSet): void => {
    context.spend(1);
    const edges = graph.get(node);
    if (edges === undefined) {
      found.push(path);
      return;
    }
    const onward = [...path, node];
    const neighbours = edgesOf(edges);
    if (neighbours.length === 0) found.push(onward);
    const seen = RegoSet.of([...visited.unordered(), node]);
    for (const neighbour of neighbours) {
      if (seen.has(neighbour)) found.push(onward);
      else follow(neighbour, onward, seen);
    }
  };
  for (const node of start) {
    const edges = graph.get(node);
    if (edges === undefined) continue;
    const neighbours = edgesOf(edges);
    if (neighbours.length === 0) found.push([node]);
    for (const neighbour of neighbours) follow(neighbour, [node], RegoSet.of([node]));
  }
  return RegoSet.of(found);
}

export const graphBuiltins: readonly Builtin[] = [
  binary("graph.reachable", [graphOperand, startOperand], setOf(anyType), (graph, start, context) =>
    reachable(graph, itemsOf(start), context),
  ),
  binary("graph.reachable_paths", [graphOperand, startOperand], setOf(arrayOf(anyType)), (graph, start, context) =>
    paths(graph, itemsOf(start), context),
  ),
];
