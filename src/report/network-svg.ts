import type { GraphEdge, NetworkGraph } from "../core/network-graph.ts";
import { type Layout, layeredLayout, type PlacedNode } from "./network-layout.ts";
import { visible } from "./text.ts";
import { escapeMarkup } from "./xml.ts";

const text = (value: string) => escapeMarkup(visible(value));

/** Light and dark by the reader's preference; colour only repeats what signs and words say. */
export const svgStyle = `
.net{--line:#8a94a3;--text:#1b2330;--soft:#566070;--fill:#fff;--edge:#7b8694;--focus:#0b57d0;--gained:#b3261e;--lost:#1a6b33;font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
@media (prefers-color-scheme:dark){.net{--line:#6b7686;--text:#e6eaf1;--soft:#a3adbd;--fill:#1b212b;--edge:#8b96a6;--focus:#8ab4f8;--gained:#ff9c92;--lost:#77d38f}}
.net rect{fill:var(--fill);stroke:var(--line)}.net text{fill:var(--text)}.net .soft{fill:var(--soft);font-size:11px}
.net path.edge{fill:none;stroke:var(--edge);stroke-opacity:.75}.net path.gained{stroke:var(--gained)}.net path.lost{stroke:var(--lost);stroke-dasharray:5 4}
.net .outside rect{stroke-dasharray:5 3}.net .everything rect{stroke-width:3}.net .focus rect{stroke:var(--focus);stroke-width:2.5}
.net .ports{font-size:11px;fill:var(--soft);paint-order:stroke;stroke:var(--halo,transparent);stroke-width:3px}
.net .head{fill:var(--edge)}
`;

/** A drawing of its own, without anything from elsewhere. */
export function svg(graph: NetworkGraph): string {
  const layout = layeredLayout(graph);
  const notes = graph.notes.map((note, i) => `<text class="soft" x="24" y="${layout.height + 8 + i * 18}">${text(note)}</text>`);
  const height = layout.height + notes.length * 18 + 16;
  const width = Math.max(layout.width, ...graph.notes.map((note) => note.length * 6.2 + 48));
  return `<svg xmlns="http://www.w3.org/2000/svg" class="net" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" width="${Math.ceil(width)}" height="${Math.ceil(height)}" role="img" aria-label="${text(graph.title)}">
<title>${text(graph.title)}</title><style>${svgStyle}.net{background:var(--fill)}</style>
${drawing(graph, layout)}
${notes.join("\n")}
</svg>
`;
}

/** The inside of a drawing: lines first, so that boxes lie over them. */
export function drawing(graph: NetworkGraph, layout: Layout): string {
  const marker = `<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>`;
  const lines = graph.edges.map((edge) => line(edge, layout));
  const boxes = [...layout.nodes.values()].map((placed) => box(placed, placed.node.id === graph.focus));
  return [marker, ...lines, ...boxes].join("\n");
}

function line({ from, to, label, change }: GraphEdge, { nodes }: Layout): string {
  const [a, b] = [nodes.get(from), nodes.get(to)];
  if (a === undefined || b === undefined) return "";
  const forward = b.x > a.x;
  const [x1, x2] = forward ? [a.x + a.width, b.x] : b.x === a.x ? [a.x + a.width, b.x + b.width] : [a.x, b.x + b.width];
  const [y1, y2] = [a.y + a.height / 2, b.y + b.height / 2];
  const bend = b.x === a.x ? 60 : Math.max(40, Math.abs(x2 - x1) / 2);
  const [c1, c2] = b.x === a.x ? [x1 + bend, x2 + bend] : forward ? [x1 + bend, x2 - bend] : [x1 - bend, x2 + bend];
  const round = (n: number) => Math.round(n * 10) / 10;
  const path = `M${round(x1)} ${round(y1)}C${round(c1)} ${round(y1)} ${round(c2)} ${round(y2)} ${round(x2)} ${round(y2)}`;
  const sign = change === "gained" ? "+ " : change === "lost" ? "- " : "";
  // Near the called side lines to it have parted from those to others.
  const t = 0.7;
  const at = (p: number, q: number, r: number, s: number) =>
    (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * q + 3 * (1 - t) * t ** 2 * r + t ** 3 * s;
  const [lx, ly] = [at(x1, c1, c2, x2), at(y1, y1, y2, y2)];
  const name = `${a.node.label} to ${b.node.label}: ${label}`;
  return `<path class="edge ${change}" d="${path}" marker-end="url(#arrow)"><title>${text(name)}</title></path><text class="ports" text-anchor="middle" x="${round(lx)}" y="${round(ly - 4)}">${text(sign + shortPorts(label))}</text>`;
}

function shortPorts(label: string): string {
  return label.length <= 24 ? label : `${label.slice(0, 23)}…`;
}

function box({ node, x, y, width, height }: PlacedNode, isFocus: boolean): string {
  const kind = node.kind === "external" || node.kind === "domain" ? "outside" : node.kind;
  const radius = node.kind === "workload" ? 6 : node.kind === "namespace" ? 0 : height / 2;
  const members = node.members.length > 1 ? `: ${node.members.join(", ")}` : "";
  const over =
    node.group === "" || node.kind === "namespace"
      ? ""
      : `<text class="soft" x="${x + 12}" y="${y + 15}">${text(node.group)}</text>`;
  const base = over === "" ? y + height / 2 + 5 : y + height - 11;
  return `<g class="${kind}${isFocus ? " focus" : ""}"><title>${text(`${node.label}${members}`)}</title><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>${over}<text x="${x + 12}" y="${base}">${text(node.label)}</text></g>`;
}
