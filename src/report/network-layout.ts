import type { GraphNode, NetworkGraph } from "../core/network-graph.ts";
import { displayWidth } from "./text.ts";

export interface PlacedNode {
  readonly node: GraphNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly nodes: ReadonlyMap<string, PlacedNode>;
  readonly width: number;
  readonly height: number;
}

const character = 7.2;
const padding = 24;
const rowHeight = 58;
const nodeHeight = 42;
const columnGap = 150;
const margin = 24;
const sweeps = 6;

/** Columns from callers to called; within a column the order that lets the fewest lines cross, as far as averages find it. */
export function layeredLayout(graph: NetworkGraph): Layout {
  const columns = orderedColumns(graph, layers(graph));
  const nodes = new Map<string, PlacedNode>();
  const tallest = Math.max(1, ...columns.map((column) => column.length));
  let x = margin;
  for (const column of columns) {
    const width = Math.max(
      90,
      ...column.map(({ label, group }) => Math.max(displayWidth(label), displayWidth(group)) * character + padding),
    );
    // Short columns are spread, so that lines pass between their boxes.
    const step = (tallest * rowHeight) / column.length;
    for (const [i, node] of column.entries()) {
      nodes.set(node.id, { node, x, y: margin + (i + 0.5) * step - rowHeight / 2, width, height: nodeHeight });
    }
    x += width + columnGap;
  }
  return { nodes, width: x - columnGap + margin, height: tallest * rowHeight + margin * 2 - (rowHeight - nodeHeight) };
}

/** Which column each node is in: one after its callers, edges that close a circle left aside. */
function layers(graph: NetworkGraph): ReadonlyMap<string, number> {
  const calls = Map.groupBy(graph.edges, (edge) => edge.from);
  const level = new Map<string, number>();
  const onPath = new Set<string>();
  const depth = (id: string): number => {
    const known = level.get(id);
    if (known !== undefined) return known;
    onPath.add(id);
    let below = 0;
    for (const { to } of calls.get(id) ?? []) if (!onPath.has(to)) below = Math.max(below, depth(to) + 1);
    onPath.delete(id);
    level.set(id, below);
    return below;
  };
  for (const { id } of graph.nodes) depth(id);
  const deepest = Math.max(0, ...level.values());
  const columns = new Map<string, number>();
  for (const { id } of graph.nodes) columns.set(id, deepest - (level.get(id) ?? 0));
  return columns;
}

function orderedColumns(graph: NetworkGraph, column: ReadonlyMap<string, number>): GraphNode[][] {
  const count = Math.max(0, ...column.values()) + 1;
  const columns: GraphNode[][] = Array.from({ length: count }, () => []);
  const sorted = graph.nodes.toSorted((a, b) =>
    a.group === b.group ? (a.label < b.label ? -1 : 1) : a.group < b.group ? -1 : 1,
  );
  for (const node of sorted) columns[column.get(node.id) ?? 0]?.push(node);
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of graph.edges) {
    for (const [a, b] of [
      [from, to],
      [to, from],
    ] as const) {
      const list = neighbours.get(a);
      if (list === undefined) neighbours.set(a, [b]);
      else list.push(b);
    }
  }
  const place = new Map<string, number>();
  const remember = () => {
    for (const nodes of columns) for (const [i, { id }] of nodes.entries()) place.set(id, i / Math.max(1, nodes.length - 1 || 1));
  };
  remember();
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const nodes of sweep % 2 === 0 ? columns : columns.toReversed()) {
      const weight = new Map(
        nodes.map(({ id }) => {
          const near = neighbours.get(id) ?? [];
          const sum = near.reduce((total, other) => total + (place.get(other) ?? 0.5), 0);
          return [id, near.length === 0 ? 0.5 : sum / near.length] as const;
        }),
      );
      nodes.sort((a, b) => (weight.get(a.id) ?? 0) - (weight.get(b.id) ?? 0));
      for (const [i, { id }] of nodes.entries()) place.set(id, i / Math.max(1, nodes.length - 1));
    }
  }
  return columns.filter((nodes) => nodes.length > 0);
}
