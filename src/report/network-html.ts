import type { MatrixCell, NamespaceMatrix, NetworkPage } from "../core/network-graph.ts";
import { contentPolicy } from "./html-page.ts";
import { networkScript } from "./network-html-script.ts";
import { layeredLayout } from "./network-layout.ts";
import { drawing, svgStyle } from "./network-svg.ts";
import { count, visible } from "./text.ts";
import { escapeMarkup } from "./xml.ts";

const text = (value: string) => escapeMarkup(visible(value));

const style = `
:root{color-scheme:light dark;--bg:#fff;--panel:#f6f7f9;--rule:#d5d9e0;--ink:#1b2330;--soft:#566070;--link:#0b57d0;--none:#f6f7f9;--some:#f3c98b;--all:#e98a80}
@media (prefers-color-scheme:dark){:root{--bg:#12161d;--panel:#1b212b;--rule:#343d4b;--ink:#e6eaf1;--soft:#a3adbd;--link:#8ab4f8;--none:#1b212b;--some:#6b4a12;--all:#7c2f29}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header,footer{max-width:84rem;margin:0 auto;padding:0 1.25rem}h1{font-size:1.6rem;margin:1.5rem 0 .25rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:.5rem 0}
p{margin:.25rem 0}.soft,caption{color:var(--soft)}a{color:var(--link)}:focus-visible{outline:3px solid var(--link);outline-offset:1px}
.skip-link{position:absolute;left:-99rem}.skip-link:focus{left:1rem;top:.5rem;background:var(--bg);padding:.5rem;z-index:9}
.scroll,.drawing{overflow:auto;border:1px solid var(--rule);border-radius:6px;max-height:44rem}.drawing{padding:.5rem;--halo:var(--bg)}
table{border-collapse:collapse}th,td{padding:.25rem .6rem;border:1px solid var(--rule);text-align:left;font-weight:400;vertical-align:top;overflow-wrap:anywhere}
caption{text-align:left;padding:.4rem .6rem}thead th{color:var(--soft)}
#matrix td{text-align:center;background:var(--none);padding:0;min-width:3.2rem;overflow-wrap:normal}#matrix td.some{background:var(--some)}#matrix td.all{background:var(--all)}
#matrix th{white-space:nowrap}#matrix thead th span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}#matrix thead th{vertical-align:bottom}
#matrix a{display:block;padding:.25rem .4rem;color:inherit;text-decoration:none}#matrix a:hover{text-decoration:underline}
.legend span{display:inline-block;padding:0 .5rem;margin-right:.75rem;border:1px solid var(--rule)}.legend .some{background:var(--some)}.legend .all{background:var(--all)}.legend .none{background:var(--none)}
.layout{display:grid;grid-template-columns:minmax(14rem,20rem) 1fr;gap:1.5rem;align-items:start}.layout>*{min-width:0}
#find[hidden]{display:none}#find ul{list-style:none;margin:.5rem 0;padding:0;max-height:26rem;overflow:auto}#find li{overflow-wrap:anywhere;padding:.1rem 0}
input{font:inherit;color:inherit;background:var(--bg);border:1px solid var(--soft);border-radius:5px;padding:.3rem .5rem;width:100%}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:1rem;margin-top:1rem}.sides table{width:100%}#focus tbody td:last-child,#focus thead th:last-child{white-space:nowrap;overflow-wrap:normal}#focus tbody td:first-child{min-width:9rem}
footer{padding:2rem 1.25rem 3rem;color:var(--soft);font-size:.9rem}
@media (max-width:50rem){.layout,.sides{grid-template-columns:1fr}}
@media print{.layout{display:block}#find{display:none}.scroll,.drawing{max-height:none;overflow:visible}}
${svgStyle}`;

/**
 * One self-contained file: the matrix of namespaces, a drawing of what is restricted, and, with its script, one hop around
 * any workload. Without the script matrix and drawing are there. Light and dark, by keyboard, on paper.
 */
export function networkHtml(page: NetworkPage): string {
  const layout = layeredLayout(page.overview);
  const isDrawn = page.overview.nodes.length > 0;
  const data = JSON.stringify({ nodes: page.nodes, blocks: page.blocks }).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(style, networkScript)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(page.title)}</title>
<style>${style}</style>
</head>
<body>
<a class="skip-link" href="#peers">Skip to the workloads</a>
<header><h1>${text(page.title)}</h1>
${page.summary.map((line) => `<p>${text(line)}</p>`).join("\n")}
</header>
<main>
<section aria-labelledby="namespaces"><h2 id="namespaces">Namespaces</h2>
${matrixTable(page.matrix)}
</section>
<section id="peers" aria-labelledby="peers-title"><h2 id="peers-title">Workloads</h2>
<div class="layout"><search id="find" hidden><label for="search">Find a workload</label><input id="search" type="search" autocomplete="off"><ul id="results"></ul></search>
<div id="focus" aria-live="polite"><p class="soft">Choose a workload, or a cell of the table above, to see who may call it and whom it may call.</p></div></div>
</section>
<section aria-labelledby="overview"><h2 id="overview">${text(page.overview.title || "Overview")}</h2>
${isDrawn ? `<div class="drawing" tabindex="0" role="region" aria-label="${text(page.overview.title)}"><svg class="net" viewBox="0 0 ${Math.ceil(layout.width)} ${Math.ceil(layout.height)}" width="${Math.ceil(layout.width)}" role="img" aria-label="${text(page.overview.title)}">${drawing(page.overview, layout)}</svg></div>` : ""}
${page.overview.notes.map((note) => `<p class="soft">${text(note)}</p>`).join("\n")}
</section>
</main>
<footer><p>Connections that policies let through, by their own rules. A drawing shows restricted ways only; what nobody restricts is told in words.</p></footer>
<script id="data" type="application/json">${data}</script>
<script>${networkScript}</script>
</body>
</html>
`;
}

function matrixTable({ namespaces, cells }: NamespaceMatrix): string {
  if (namespaces.length === 0) return `<p class="soft">There is no workload.</p>`;
  const byPair = new Map(cells.map((cell) => [`${cell.from} ${cell.to}`, cell]));
  const heads = namespaces.map(({ name }) => `<th scope="col"><span>${text(name)}</span></th>`).join("");
  const rows = namespaces.map(({ name, workloads }) => {
    const tds = namespaces.map((to) => matrixCell(byPair.get(`${name} ${to.name}`), name, to.name)).join("");
    return `<tr><th scope="row">${text(name)} <span class="soft">${workloads}</span></th>${tds}</tr>`;
  });
  return `<p class="legend"><span class="none">0</span>nothing passes <span class="some">%</span>some pairs or ports <span class="all">all</span>everything passes</p>
<div class="scroll" tabindex="0" role="region" aria-label="Matrix of namespaces"><table id="matrix"><caption>From the namespace at the left to the one above: of how many pairs of workloads anything passes. ${count(namespaces.length, "namespace")}.</caption>
<thead><tr><td></td>${heads}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>`;
}

function matrixCell(cell: MatrixCell | undefined, from: string, to: string): string {
  if (cell === undefined) return `<td class="none"><span class="soft">0</span></td>`;
  const isAll = cell.open === cell.pairs && cell.label === "all connections";
  const shown = isAll
    ? "all"
    : cell.open === cell.pairs
      ? "ports"
      : `${Math.max(1, Math.round((100 * cell.open) / cell.pairs))}%`;
  const name = `${from} to ${to}: ${cell.open} of ${cell.pairs} pairs, ${cell.label}`;
  const href = `#from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
  return `<td class="${isAll ? "all" : "some"}"><a href="${text(href)}" title="${text(name)}" aria-label="${text(name)}">${shown}</a></td>`;
}
