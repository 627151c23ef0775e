/**
 * The script of the network page: chooses a workload or a pair of namespaces, draws one hop around it, and keeps the choice
 * in the address so that it can be linked. Data comes as JSON in the page; nothing is fetched.
 */
export const networkScript = `
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { nodes, blocks } = data;
  const search = document.getElementById("search");
  const results = document.getElementById("results");
  const focus = document.getElementById("focus");
  const nameOf = (i) => (nodes[i].group === "" ? "" : nodes[i].group + "/") + nodes[i].label;
  const svgNs = "http://www.w3.org/2000/svg";
  const make = (name, attributes, ...children) => {
    const element = name.startsWith("svg:") ? document.createElementNS(svgNs, name.slice(4)) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  function peers(index) {
    const sides = { from: new Map(), to: new Map() };
    for (const { from, to, label } of blocks) {
      if (to.includes(index)) for (const i of from) if (i !== index) add(sides.from, i, label);
      if (from.includes(index)) for (const i of to) if (i !== index) add(sides.to, i, label);
    }
    return { from: grouped(sides.from), to: grouped(sides.to) };
  }

  function add(map, i, label) {
    if (!map.has(i)) map.set(i, new Set());
    map.get(i).add(label);
  }

  // Peers of one namespace that use the same ports are one box.
  function grouped(map) {
    const groups = new Map();
    for (const [i, labels] of map) {
      const ports = labels.has("all connections") ? "all connections" : [...labels].join("; ");
      const key = nodes[i].group + "|" + (nodes[i].kind === "workload" ? "" : nodes[i].id) + "|" + ports;
      if (!groups.has(key)) groups.set(key, { ports, members: [] });
      groups.get(key).members.push(i);
    }
    return [...groups.values()].sort((a, b) => nameOf(a.members[0]).localeCompare(nameOf(b.members[0])));
  }

  const row = 54, high = 40, wide = 250, gap = 190;

  function draw(index) {
    const { from, to } = peers(index);
    const rows = Math.max(from.length, to.length, 1);
    const height = rows * row + 20, width = wide * 3 + gap * 2 + 20;
    const svg = make("svg:svg", { class: "net", viewBox: "0 0 " + width + " " + height, role: "group", "aria-label": "Peers of " + nameOf(index) });
    const middle = { x: 10 + wide + gap, y: height / 2 - high / 2 };
    const defs = make("svg:defs", {}, make("svg:marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto" }, make("svg:path", { class: "head", d: "M0 0L8 4L0 8z" })));
    svg.append(defs);
    const column = (groups, x, incoming) => {
      const top = (height - groups.length * row) / 2 + (row - high) / 2;
      groups.forEach((group, i) => {
        const y = top + i * row;
        const [x1, y1, x2, y2] = incoming ? [x + wide, y + high / 2, middle.x, height / 2] : [middle.x + wide, height / 2, x, y + high / 2];
        const bend = gap / 2;
        svg.append(make("svg:path", { class: "edge", d: "M" + x1 + " " + y1 + "C" + (x1 + bend) + " " + y1 + " " + (x2 - bend) + " " + y2 + " " + x2 + " " + y2, "marker-end": "url(#tip)" }));
        const at = incoming ? x1 + 8 : x2 - 8;
        const short = group.ports.length > 26 ? group.ports.slice(0, 25) + "\\u2026" : group.ports;
        svg.append(make("svg:text", { class: "ports", x: at, y: y + high / 2 - 5, "text-anchor": incoming ? "start" : "end" }, short));
        svg.append(box(group.members, x, y, group.ports));
      });
    };
    column(from, 10, true);
    column(to, 10 + (wide + gap) * 2, false);
    svg.append(box([index], middle.x, middle.y, "", true));
    return { svg, from, to };
  }

  function box(members, x, y, ports, isFocus) {
    const node = nodes[members[0]];
    const label = members.length === 1 ? node.label : members.length + " workloads";
    const outside = node.kind === "external" || node.kind === "domain";
    const group = make("svg:g", { class: (outside ? "outside" : node.kind) + (isFocus ? " focus" : "") });
    const title = make("svg:title", {}, members.map(nameOf).join(", ") + (ports === "" ? "" : ": " + ports));
    group.append(title, make("svg:rect", { x, y, width: wide, height: high, rx: outside ? high / 2 : 6 }));
    if (node.group !== "") group.append(make("svg:text", { class: "soft", x: x + 12, y: y + 15 }, node.group));
    const shown = label.length > 32 ? label.slice(0, 31) + "\\u2026" : label;
    group.append(make("svg:text", { x: x + 12, y: node.group === "" ? y + high / 2 + 5 : y + high - 9 }, shown));
    if (!isFocus && members.length === 1 && node.kind === "workload") {
      const link = make("svg:a", { href: "#focus=" + encodeURIComponent(node.id), "aria-label": "Peers of " + nameOf(members[0]) });
      link.append(group);
      return link;
    }
    return group;
  }

  function list(title, groups) {
    const items = groups.map(({ ports, members }) => make("tr", {}, make("td", {}, members.map(nameOf).join(", ")), make("td", {}, ports)));
    const head = make("tr", {}, make("th", { scope: "col" }, title), make("th", { scope: "col" }, "ports"));
    const body = items.length === 0 ? [make("tr", {}, make("td", { colspan: 2, class: "soft" }, "nobody"))] : items;
    return make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
  }

  function show(index) {
    const { svg, from, to } = draw(index);
    const heading = make("h3", { id: "focus-title", tabindex: -1 }, nameOf(index));
    focus.replaceChildren(heading, make("div", { class: "drawing", tabindex: 0, role: "region", "aria-label": "Drawing of the peers" }, svg), make("div", { class: "sides" }, list("May call it", from), list("It may call", to)));
  }

  function pair(from, to) {
    const rows = [];
    for (const block of blocks) {
      const sources = block.from.filter((i) => nodes[i].group === from), targets = block.to.filter((i) => nodes[i].group === to);
      if (sources.length > 0 && targets.length > 0) rows.push([sources, targets, block.label]);
    }
    const names = (list) => make("td", {}, ...list.flatMap((i, n) => [...(n === 0 ? [] : [", "]), make("a", { href: "#focus=" + encodeURIComponent(nodes[i].id) }, nodes[i].label)]));
    const body = rows.map(([sources, targets, label]) => make("tr", {}, names(sources), names(targets), make("td", {}, label)));
    const head = make("tr", {}, ...["from", "to", "ports"].map((text) => make("th", { scope: "col" }, text)));
    const heading = make("h3", { id: "focus-title", tabindex: -1 }, from + " to " + to);
    focus.replaceChildren(heading, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
  }

  function find() {
    const words = search.value.toLowerCase().split(/\\s+/).filter((word) => word !== "");
    const found = nodes.flatMap((node, i) => (node.kind === "workload" && words.every((word) => nameOf(i).toLowerCase().includes(word)) ? [i] : []));
    const most = 200;
    const links = found.slice(0, most).map((i) => make("li", {}, make("a", { href: "#focus=" + encodeURIComponent(nodes[i].id) }, nameOf(i))));
    results.replaceChildren(...links, ...(found.length > most ? [make("li", { class: "soft" }, found.length - most + " more")] : []));
  }

  function follow() {
    const state = new URLSearchParams(location.hash.slice(1));
    const index = state.has("focus") ? nodes.findIndex((node) => node.id === state.get("focus")) : -1;
    if (index >= 0) show(index);
    else if (state.has("from") && state.has("to")) pair(state.get("from"), state.get("to"));
    else return;
    document.getElementById("focus-title").focus({ preventScroll: true });
    document.getElementById("peers").scrollIntoView({ block: "nearest" });
    // Within the console the address of the whole is another.
    if (parent !== window) parent.postMessage({ shown: location.hash.slice(1) }, "*");
  }

  // Arrow keys move in the matrix, as in a spreadsheet.
  const matrix = document.getElementById("matrix");
  matrix?.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = event.target.closest("td");
    if (step === undefined || cell === null) return;
    let [r, c] = [cell.parentElement.rowIndex + step[0], cell.cellIndex + step[1]];
    for (; matrix.rows[r]?.cells[c] !== undefined && r > 0 && c > 0; r += step[0], c += step[1]) {
      const link = matrix.rows[r].cells[c].querySelector("a");
      if (link === null) continue;
      link.focus();
      event.preventDefault();
      return;
    }
  });

  search.addEventListener("input", find);
  window.addEventListener("hashchange", follow);
  document.getElementById("find").hidden = false;
  find();
  follow();
})();
`;
