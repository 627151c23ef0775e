import type { Endpoint, Explanation, Network } from "../analysis/network/model.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../core/json.ts";
import type { SourceDocument, Span } from "../core/source.ts";
import { list, readEndpoint, readPort } from "./network-endpoint.ts";

/** One assertion: from there to there on that port. */
export interface NetworkAssertion {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** `any`: at least one connection passes; for a denial: none does. */
  readonly port: string;
  readonly expect: "allow" | "deny";
  readonly span: Span | undefined;
}

export interface AssertionResult {
  readonly assertion: NetworkAssertion;
  /** `invalid` counts as failed; `depends`: the answer is not certain, which is no pass. */
  readonly status: "pass" | "fail" | "depends" | "invalid";
  readonly message: string;
}

export interface ReadAssertions {
  readonly assertions: readonly NetworkAssertion[];
  readonly problems: readonly { readonly message: string; readonly span: Span | undefined }[];
}

interface Reader {
  readonly document: SourceDocument;
  readonly assertions: NetworkAssertion[];
  readonly problems: { message: string; span: Span | undefined }[];
}

/**
 * Reads assertions: `tests: [{name, from, to, port, expect}]` with `from` and `to` as names or lists of them, `table` for a
 * truth table as cyclonus prints one, tests of netassert 2 (a list with `src`, `dst`) and 1 (`kubernetes:` by deployment),
 * and cyclonus truth tables as JSON. What cannot be understood is a problem with its place.
 */
export function readAssertions(documents: readonly SourceDocument[]): ReadAssertions {
  const all: ReadAssertions[] = documents.map((document) => {
    const reader: Reader = { document, assertions: [], problems: [] };
    readDocument(reader);
    return reader;
  });
  return { assertions: all.flatMap((r) => r.assertions), problems: all.flatMap((r) => r.problems) };
}

function readDocument(reader: Reader): void {
  const { value } = reader.document;
  if (isArray(value)) for (const [i, item] of value.entries()) readNetassert(item, [i], reader);
  else if (isArray(member(value, "tests"))) {
    for (const [i, item] of (member(value, "tests") as readonly JsonValue[]).entries()) readTest(item, ["tests", i], reader);
  } else if (isArray(member(value, "tables")) && isArray(member(value, "pods"))) readTruthTables(value, reader);
  else if (isObject(member(value, "kubernetes")) || isObject(member(value, "k8s"))) readNetassertOne(value, reader);
  else problem(reader, [], "no assertions: write tests: [{from, to, port, expect}], or a list of netassert tests");
}

function problem({ document, problems }: Reader, path: JsonPath, message: string): void {
  problems.push({ message, span: document.locate(path) });
}

const testFields = ["name", "from", "to", "port", "expect", "table"];

function readTest(value: JsonValue, path: JsonPath, reader: Reader): void {
  if (!isObject(value)) {
    problem(reader, path, "an assertion is an object with from, to, port and expect");
    return;
  }
  const unknown = Object.keys(value).find((key) => !testFields.includes(key));
  if (unknown !== undefined) {
    problem(reader, [...path, unknown], `${unknown} is not one of ${testFields.join(", ")}`);
    return;
  }
  const port = value["port"] === undefined ? "any" : portText(value["port"]);
  const name = asString(value["name"]) ?? "";
  if (port === undefined) problem(reader, [...path, "port"], "port is a number, a name, 53/udp or any");
  else if (typeof value["table"] === "string") readTextTable(value["table"], { name, port, path: [...path, "table"] }, reader);
  else {
    const { expect } = value;
    if (expect !== "allow" && expect !== "deny") {
      problem(reader, [...path, "expect"], "expect is allow or deny");
      return;
    }
    for (const from of names(value["from"], [...path, "from"], reader)) {
      for (const to of names(value["to"], [...path, "to"], reader)) add(reader, path, { name, from, to, port, expect });
    }
  }
}

function portText(value: JsonValue | undefined): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function names(value: JsonValue | undefined, path: JsonPath, reader: Reader): readonly string[] {
  const list = isArray(value) ? value : [value];
  const texts = list.filter((item) => typeof item === "string" && item !== "");
  if (texts.length === 0 || texts.length < list.length) {
    problem(reader, path, `${String(path.at(-1))} is the name of a workload, an address, internet, apiserver, or a list of such`);
    return [];
  }
  return texts as readonly string[];
}

function add(reader: Reader, path: JsonPath, assertion: Omit<NetworkAssertion, "span">): void {
  const name = assertion.name || `${assertion.from} to ${assertion.to} on ${assertion.port}`;
  reader.assertions.push({ ...assertion, name, span: reader.document.locate(path) });
}

/** Columns are called, rows call; `.` passes, `X` does not, anything else is not asked. */
function readTextTable(table: string, about: { name: string; port: string; path: JsonPath }, reader: Reader): void {
  const rows = table
    .split("\n")
    .filter((line) => line.includes("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const [head, ...body] = rows;
  if (head === undefined || body.length === 0) {
    problem(reader, about.path, "a table has a row of called workloads and a row for each caller, with | between the cells");
    return;
  }
  for (const row of body) {
    for (const [i, to] of head.entries()) {
      const [from, cell] = [row[0] ?? "", row[i] ?? ""];
      const expect = expected(cell);
      if (i > 0 && expect !== undefined && from !== to)
        add(reader, about.path, { name: about.name, from, to, port: about.port, expect });
    }
  }
}

function expected(cell: string): "allow" | "deny" | undefined {
  if (/^(\.|A|allow|yes)$/i.test(cell)) return "allow";
  return /^(X|B|block|deny|no)$/i.test(cell) ? "deny" : undefined;
}

/** `{pods: [...], tables: [{protocol, port, combined: ["A.B", ...]}]}` */
function readTruthTables(value: JsonValue, reader: Reader): void {
  const pods = names(member(value, "pods"), ["pods"], reader);
  const tables = member(value, "tables");
  for (const [t, table] of (isArray(tables) ? tables : []).entries()) {
    const protocol = asString(member(table, "protocol")) ?? "TCP";
    const port = portText(member(table, "port"));
    const rows = member(table, "combined");
    if (port === undefined || !isArray(rows)) {
      problem(reader, ["tables", t], "a truth table has a port and rows in combined");
      continue;
    }
    for (const [r, row] of rows.entries()) {
      for (const [c, cell] of [...(asString(row) ?? "")].entries()) {
        const [from, to, expect] = [pods[r], pods[c], expected(cell)];
        if (from === undefined || to === undefined || expect === undefined || r === c) continue;
        add(reader, ["tables", t, "combined", r], { name: "", from, to, port: `${port}/${protocol}`, expect });
      }
    }
  }
}

/** netassert 2: `{name, type: k8s, protocol, targetPort, exitCode, src: {k8sResource}, dst: {k8sResource} | {host}}` */
function readNetassert(value: JsonValue, path: JsonPath, reader: Reader): void {
  const from = resourceName(member(value, "src"));
  const to = resourceName(member(value, "dst"));
  const port = portText(member(value, "targetPort"));
  if (from === undefined || to === undefined || port === undefined) {
    problem(reader, path, "a netassert test has src, dst and targetPort");
    return;
  }
  const protocol = asString(member(value, "protocol")) ?? "tcp";
  const expect = (member(value, "exitCode") ?? 0) === 0 ? "allow" : "deny";
  add(reader, path, { name: asString(member(value, "name")) ?? "", from, to, port: `${port}/${protocol}`, expect });
}

function resourceName(side: JsonValue | undefined): string | undefined {
  const host = asString(member(member(side, "host"), "name"));
  if (host !== undefined) return /^[\d.:a-fA-F]+(\/\d+)?$/.test(host) ? host : `dns:${host}`;
  const resource = member(side, "k8sResource");
  const name = asString(member(resource, "name"));
  return name === undefined ? undefined : `${asString(member(resource, "namespace")) ?? "default"}/${name}`;
}

/** netassert 1: `kubernetes: {deployment: {"ns:from": {"ns:to": TCP:80}}}`; a leading minus expects a denial. */
function readNetassertOne(value: JsonValue, reader: Reader): void {
  const root = member(value, "kubernetes") === undefined ? "k8s" : "kubernetes";
  const kinds = member(value, root);
  for (const [kind, callers] of Object.entries(isObject(kinds) ? kinds : {})) {
    for (const [from, targets] of Object.entries(isObject(callers) ? callers : {})) {
      for (const [to, ports] of Object.entries(isObject(targets) ? (targets as JsonObject) : {})) {
        for (const item of isArray(ports) ? ports : [ports]) {
          const [, minus = "", protocol = "TCP", port = ""] = /^(-?)(?:(TCP|UDP|SCTP):)?(\d+)$/i.exec(portText(item) ?? "") ?? [];
          const path = [root, kind, from, to];
          const address = (text: string) => text.replace(":", "/");
          if (port === "") problem(reader, path, `${JSON.stringify(item ?? null)} is not a port such as TCP:80 or -UDP:53`);
          else
            add(reader, path, {
              name: "",
              from: address(from),
              to: address(to),
              port: `${port}/${protocol}`,
              expect: minus === "" ? "allow" : "deny",
            });
        }
      }
    }
  }
}

/** Asks the network; what is not there is `invalid`, what is not certain is `depends`. */
export function runAssertion(assertion: NetworkAssertion, network: Network): AssertionResult {
  const from = readEndpoint(assertion.from, network);
  const to = readEndpoint(assertion.to, network);
  if (!from.ok) return { assertion, status: "invalid", message: from.message };
  if (!to.ok) return { assertion, status: "invalid", message: to.message };
  if (assertion.port === "any") return anyPort(assertion, from.value, to.value, network);
  const port = readPort(assertion.port, to.value);
  if (!port.ok) return { assertion, status: "invalid", message: port.message };
  const { protocol, port: number } = port.value;
  const verdict = network.between(from.value, to.value);
  const [surely, maybe] = [verdict.connections.has(protocol, number), verdict.possible.has(protocol, number)];
  if (surely !== maybe) return { assertion, status: "depends", message: verdict.depends.map((d) => d.reason).join("; ") };
  const explanation = network.explain(from.value, to.value, protocol, number);
  const status = surely === (assertion.expect === "allow") ? "pass" : "fail";
  return { assertion, status, message: decisive(explanation) };
}

function anyPort(assertion: NetworkAssertion, from: Endpoint, to: Endpoint, network: Network): AssertionResult {
  const { connections, possible, depends } = network.between(from, to);
  if (connections.isEmpty !== possible.isEmpty) {
    return { assertion, status: "depends", message: list(depends.map((d) => d.reason)) };
  }
  const status = connections.isEmpty === (assertion.expect === "deny") ? "pass" : "fail";
  return { assertion, status, message: `${connections}` };
}

/** The side that denies, or both. */
function decisive({ egress, ingress, allowed }: Explanation): string {
  const sides = [egress, ingress].filter((side) => side.allowed === allowed);
  return sides.map((side) => side.text).join("; ");
}
