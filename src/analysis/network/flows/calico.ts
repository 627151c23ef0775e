import { isArray, type JsonObject } from "../../../core/json.ts";
import { bad, type FlowEnd, FlowEnds, type FlowEntity, type FlowLine, skipped } from "./flow.ts";
import { jsonLine, numberIn, objectIn, textIn, timeOf } from "./line-json.ts";

/** Calico's flow logs (`flows.log`, Elasticsearch) and the flows of Goldmane and Whisker (3.30 and later). */
export function calicoParser(): (line: string) => FlowLine {
  const ends = new FlowEnds();
  return (line) => {
    const record = jsonLine(line);
    if (record === undefined) return bad("the line is not JSON");
    const reporter = textIn(record, "reporter").toLowerCase();
    const action = textIn(record, "action").toLowerCase();
    if (reporter === "" || action === "") return bad("it has no reporter or no action");
    const from = endOf(record, "source", ends);
    const port = numberIn(record, "dest_port");
    // Both sides report an allowed flow between pods; only the caller's word is taken.
    if (reporter.startsWith("dst") && isPod(from) && action === "allow") return skipped("reported by the caller, too");
    return {
      kind: "flow",
      flow: {
        from,
        to: endOf(record, "dest", ends),
        protocol: (textIn(record, "proto") || textIn(record, "protocol")).toUpperCase(),
        port: port === 0 ? undefined : port,
        verdict: action === "allow" || action === "pass" ? "forwarded" : action === "deny" ? "dropped" : "unknown",
        at: timeIn(record),
        count: Math.max(1, numberIn(record, "num_flows_started") ?? numberIn(record, "num_flows") ?? 1),
        direction: "recorded",
      },
    };
  };
}

function timeIn(record: JsonObject): number | undefined {
  const seconds = numberIn(record, "start_time") ?? numberIn(record, "startTime");
  return seconds === undefined ? timeOf(textIn(record, "start_time")) : seconds * 1000;
}

function isPod(end: FlowEnd): boolean {
  return end.labels !== undefined || end.pod !== "";
}

const blank = (text: string) => (text === "-" ? "" : text);

/** `net` covers `pub` (the internet) and `pvt` (private addresses outside the pods); `hep` and `host` are nodes. */
function endOf(record: JsonObject, side: "source" | "dest", ends: FlowEnds): FlowEnd {
  const ip = textIn(record, `${side}_ip`);
  const namespace = blank(textIn(record, `${side}_namespace`));
  const name = blank(textIn(record, `${side}_name`));
  const aggregate = blank(textIn(record, `${side}_name_aggr`));
  const type = textIn(record, `${side}_type`).toLowerCase();
  const service = side === "dest" ? blank(textIn(record, "dest_service_name")) : "";
  const domains = side === "dest" ? record["dest_domains"] : undefined;
  const names = isArray(domains) ? domains.filter((d) => typeof d === "string") : [];
  return ends.of(`${namespace}/${name}|${aggregate}|${ip}|${service}|${names.join()}`, () => {
    const workload = aggregate === "" && name.endsWith("*") ? name : aggregate;
    const pod = type === "wep" || (type === "" && namespace !== "");
    return {
      ip,
      namespace,
      pod: pod && !name.endsWith("*") ? name : "",
      workload: pod ? workload : "",
      labels: pod ? labelsIn(record, `${side}_labels`) : undefined,
      names,
      service:
        service === "" ? undefined : { name: service, namespace: blank(textIn(record, "dest_service_namespace")) || namespace },
      entity: pod ? undefined : entityOf(type, aggregate === "" ? name : aggregate),
    };
  });
}

function entityOf(type: string, name: string): FlowEntity | undefined {
  if (type === "hep" || type === "host") return "node";
  if (name.toLowerCase() === "pub" || name === "PUBLIC NETWORK") return "world";
  return type === "net" || type === "network" || type === "ns" ? "other" : undefined;
}

function labelsIn(record: JsonObject, key: string): { readonly [key: string]: string } {
  const nested = objectIn(record, key)?.["labels"];
  const plain = record[key];
  const list = isArray(nested) ? nested : typeof plain === "string" ? plain.split(/\s*\|\s*/) : isArray(plain) ? plain : [];
  const pairs = list.flatMap((label): [string, string][] => {
    if (typeof label !== "string" || !label.includes("=")) return [];
    const equals = label.indexOf("=");
    return [[label.slice(0, equals), label.slice(equals + 1)]];
  });
  return Object.fromEntries(pairs);
}
