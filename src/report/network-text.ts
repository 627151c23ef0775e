import type { GraphChange, GraphNode, NetworkGraph } from "../core/network-graph.ts";
import { visible } from "./text.ts";

const changeColour: { readonly [change in GraphChange]: string } = { same: "#566070", gained: "#b3261e", lost: "#1a6b33" };
const changeSign: { readonly [change in GraphChange]: string } = { same: "", gained: "+ ", lost: "- " };

/** Graphviz: a cluster for each namespace, an edge for each pair. */
export function dot(graph: NetworkGraph): string {
  const quoted = (text: string) => `"${visible(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
  const node = ({ id, label, kind }: GraphNode) => `${quoted(id)} [label=${quoted(label)}${shapes[kind]}];`;
  const clusters = [...Map.groupBy(graph.nodes, (n) => n.group)].flatMap(([group, nodes], i) =>
    group === "" || nodes.every((n) => n.kind === "namespace")
      ? nodes.map((n) => `  ${node(n)}`)
      : [`  subgraph "cluster_${i}" {`, `    label=${quoted(group)};`, ...nodes.map((n) => `    ${node(n)}`), "  }"],
  );
  const edges = graph.edges.map(({ from, to, label, change }) => {
    const style = change === "same" ? "" : `, color="${changeColour[change]}", fontcolor="${changeColour[change]}"`;
    return `  ${quoted(from)} -> ${quoted(to)} [label=${quoted(changeSign[change] + label)}${style}];`;
  });
  const notes = graph.notes.map((note) => `  // ${visible(note).replaceAll("\n", " ")}`);
  return [
    "digraph network {",
    `  label=${quoted(graph.title)}; rankdir=LR; fontname="sans-serif";`,
    '  node [shape=box, style=rounded, fontname="sans-serif"]; edge [fontname="sans-serif", fontsize=10];',
    ...notes,
    ...clusters,
    ...edges,
    "}\n",
  ].join("\n");
}

const shapes: { readonly [kind in GraphNode["kind"]]: string } = {
  workload: "",
  namespace: ", shape=folder, style=solid",
  everything: ", shape=doublecircle, style=solid",
  external: ", shape=ellipse, style=dashed",
  node: ", shape=box3d, style=solid",
  apiserver: ", shape=hexagon, style=solid",
  domain: ", shape=ellipse, style=dashed",
};

/** Mermaid, as GitHub and GitLab draw it in comments and pages. */
export function mermaid(graph: NetworkGraph): string {
  const names = new Map(graph.nodes.map((node, i) => [node.id, `n${i}`]));
  const text = (value: string) =>
    `"${visible(value)
      .replaceAll("\n", " ")
      .replace(/[#"<>]/g, (c) => `#${c.charCodeAt(0)};`)}"`;
  const node = ({ id, label, kind }: GraphNode) => {
    const [open, close] = brackets[kind];
    return `${names.get(id)}${open}${text(label)}${close}`;
  };
  const groups = [...Map.groupBy(graph.nodes, (n) => n.group)].flatMap(([group, nodes], i) =>
    group === "" || nodes.every((n) => n.kind === "namespace")
      ? nodes.map((n) => `  ${node(n)}`)
      : [`  subgraph g${i}[${text(group)}]`, ...nodes.map((n) => `    ${node(n)}`), "  end"],
  );
  const edges = graph.edges.map(
    ({ from, to, label, change }) => `  ${names.get(from)} -->|${text(changeSign[change] + label)}| ${names.get(to)}`,
  );
  const styles = graph.edges.flatMap(({ change }, i) =>
    change === "same" ? [] : [`  linkStyle ${i} stroke:${changeColour[change]}`],
  );
  const notes = graph.notes.map((note) => `  %% ${visible(note).replaceAll("\n", " ")}`);
  return ["flowchart LR", ...notes, ...groups, ...edges, ...styles, ""].join("\n");
}

const brackets: { readonly [kind in GraphNode["kind"]]: readonly [string, string] } = {
  workload: ["[", "]"],
  namespace: ["[[", "]]"],
  everything: ["(((", ")))"],
  external: ["([", "])"],
  node: ["[/", "/]"],
  apiserver: ["{{", "}}"],
  domain: ["([", "])"],
};
