import type { Line } from "./connection-text.ts";

interface Pair {
  readonly src: string;
  readonly dst: string;
  readonly conn?: string;
}

/** Reads the connections of a golden report. `focus` is what lines without connections are about. */
export function parseReport(text: string, format: string, focus: string): readonly Line[] {
  // Names of networks stand in the namespaces of peers there.
  return parseFormat(text, format, focus).map((line) => ({
    ...line,
    from: withoutNetwork(line.from),
    to: withoutNetwork(line.to),
  }));
}

function withoutNetwork(peer: string): string {
  return peer.replace(/^([^/[]+)\[[^\]]*\]\//, "$1/");
}

function parseFormat(text: string, format: string, focus: string): readonly Line[] {
  switch (format) {
    case "txt":
      return parseText(text, focus);
    case "json":
      return parseJson(text, focus);
    case "csv":
      return parseTable(text, focus, (line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((c) => c.replace(/^"|"$/g, "")));
    case "md":
      return parseTable(text, focus, (line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    case "dot":
      return parseDot(text);
    default:
      throw new Error(`no reader for ${format}`);
  }
}

function parseText(text: string, focus: string): readonly Line[] {
  let section = "connections";
  return text.split(/\r?\n/).flatMap((line): Line[] => {
    section = sectionOf(line) ?? section;
    const unprotected = /^(\S+) is not protected on (\w+)/.exec(line);
    if (unprotected !== null) {
      return [{ section: "unprotected", from: unprotected[1] ?? "", to: unprotected[2] ?? "", connections: "No Connections" }];
    }
    const match = /^(.+?)\s+(=>|<=)\s+(.+?)(?: : (.*))?$/.exec(line);
    if (match === null) return [];
    const [, left = "", arrow, right = "", connections = focus] = match;
    return [arrow === "=>" ? { section, from: left, to: right, connections } : { section, from: right, to: left, connections }];
  });
}

function sectionOf(line: string): string | undefined {
  if (/Egress Exposure:/.test(line)) return "egress";
  if (/Ingress Exposure:/.test(line)) return "ingress";
  return undefined;
}

function parseJson(text: string, focus: string): readonly Line[] {
  const report: unknown = JSON.parse(text === "" ? "[]" : text);
  const lines = (section: string, pairs: readonly Pair[] | null | undefined) =>
    (pairs ?? []).map(({ src, dst, conn }): Line => ({ section, from: src, to: dst, connections: conn ?? focus }));
  if (Array.isArray(report)) return lines("connections", report as readonly Pair[]);
  const parts = report as { readonly [key: string]: unknown };
  const list = (parts["connlist_results"] ?? parts["connlist_conn_focus_results"]) as readonly Pair[];
  const exposure = (parts["exposure_results"] ?? parts["exposure_conn_focus_results"]) as
    | { readonly [key: string]: readonly Pair[] }
    | undefined;
  return [
    ...lines("connections", list),
    ...lines("egress", exposure?.["egress_exposure"]),
    ...lines("ingress", exposure?.["ingress_exposure"]),
  ];
}

/** The header repeats; ingress exposure has the columns the other way round. */
function parseTable(text: string, focus: string, cells: (line: string) => readonly string[]): readonly Line[] {
  let section = "connections";
  let swapped = false;
  return text.split(/\r?\n/).flatMap((line): Line[] => {
    const heading = sectionOf(line);
    if (heading !== undefined) {
      section = heading;
      return [];
    }
    const [first = "", second = "", third] = cells(line);
    if (first === "src" || first === "dst") {
      swapped = first === "dst";
      return [];
    }
    if (second === "" || first.startsWith("---") || /Exposure Analysis/.test(line)) return [];
    const connections = focus !== "" || third === undefined ? focus : third;
    return [swapped ? { section, from: second, to: first, connections } : { section, from: first, to: second, connections }];
  });
}

/** An edge of a drawing. */
export interface Drawn {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly color: string;
  readonly isDashed: boolean;
}

export function parseEdges(text: string): readonly Drawn[] {
  return [...text.matchAll(/^\s*"([^"]+)" -> "([^"]+)" \[label="([^"]*)" color="([^"]*)"([^\]]*)\]/gm)].map(
    ([, from = "", to = "", label = "", color = "", rest = ""]) => ({
      from,
      to,
      label,
      color,
      isDashed: rest.includes("dashed"),
    }),
  );
}

/** Dashed edges are exposure; its colour tells the direction. */
function parseDot(text: string): readonly Line[] {
  return parseEdges(text).map(({ from, to, label, color, isDashed }) => ({
    section: !isDashed ? "connections" : color === "darkorange4" ? "egress" : "ingress",
    from: drawnPeer(from),
    to: drawnPeer(to),
    connections: label,
  }));
}

/** `pod with {a=b}_in_namespace with {c=d}` as the other formats write it. */
function drawnPeer(text: string): string {
  const match = /^(all pods|pod with \{.*\})_in_(.*)$/.exec(text);
  if (match === null) return text;
  const [, pods = "", namespaces = ""] = match;
  return `${/^(all namespaces|namespace with)/.test(namespaces) ? `[${namespaces}]` : namespaces}/[${pods}]`;
}
