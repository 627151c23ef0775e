import { isArray, type JsonObject, type JsonValue } from "../../../core/json.ts";
import { bad, type FlowEnd, FlowEnds, type FlowEntity, type FlowLine, type FlowVerdict, skipped } from "./flow.ts";
import { jsonLine, numberIn, objectIn, textIn, timeOf } from "./line-json.ts";

const verdicts: { readonly [name: string]: FlowVerdict } = {
  FORWARDED: "forwarded",
  REDIRECTED: "forwarded",
  TRACED: "forwarded",
  TRANSLATED: "forwarded",
  DROPPED: "dropped",
  ERROR: "dropped",
  AUDIT: "audited",
};

const reserved: { readonly [label: string]: FlowEntity } = {
  "reserved:world": "world",
  "reserved:world-ipv4": "world",
  "reserved:world-ipv6": "world",
  "reserved:host": "node",
  "reserved:remote-node": "node",
  "reserved:kube-apiserver": "apiserver",
  "reserved:health": "health",
};

/** `hubble observe -o json` and the exporter's file, Cilium 1.10 and later. */
export function hubbleParser(): (line: string) => FlowLine {
  const ends = new FlowEnds();
  return (line) => {
    const record = jsonLine(line);
    if (record === undefined) return bad("the line is not JSON");
    // `-o json` wraps the flow; the older form does not.
    const flow = objectIn(record, "flow") ?? (record["verdict"] === undefined ? undefined : record);
    if (flow === undefined) {
      return record["node_status"] === undefined && record["lost_events"] === undefined && record["agent_event"] === undefined
        ? bad("there is no flow in it")
        : skipped("status of a node");
    }
    return readFlow(flow, timeOf(textIn(flow, "time")) ?? timeOf(textIn(record, "time")), ends);
  };
}

function readFlow(flow: JsonObject, at: number | undefined, ends: FlowEnds): FlowLine {
  const l7 = objectIn(flow, "l7");
  if (flow["is_reply"] === true || textIn(l7, "type") === "RESPONSE") return skipped("reply");
  const ip = objectIn(flow, "IP") ?? objectIn(flow, "ip");
  const from = endOf(objectIn(flow, "source"), textIn(ip, "source"), namesIn(flow, "source_names"), undefined, ends);
  const query = textIn(objectIn(l7, "dns"), "query");
  const l4 = objectIn(flow, "l4");
  if (query !== "") {
    const name = query.replace(/\.$/, "").toLowerCase();
    const protocol = objectIn(l4, "TCP") === undefined ? "UDP" : "TCP";
    return { kind: "lookup", lookup: { client: from, name, protocol, at } };
  }
  const protocol = l4 === undefined ? undefined : Object.keys(l4)[0];
  if (l4 === undefined || protocol === undefined) return skipped("no connection");
  const ports = objectIn(l4, protocol);
  const flags = objectIn(ports, "flags");
  const opens = flags?.["SYN"] === true && flags["ACK"] !== true;
  if (flags?.["SYN"] === true && !opens) return skipped("reply");
  const service = objectIn(flow, "destination_service");
  const to = endOf(objectIn(flow, "destination"), textIn(ip, "destination"), namesIn(flow, "destination_names"), service, ends);
  return {
    kind: "flow",
    flow: {
      from,
      to,
      protocol: protocol.startsWith("ICMP") ? "ICMP" : protocol.toUpperCase(),
      port: numberIn(ports, "destination_port"),
      verdict: verdicts[textIn(flow, "verdict")] ?? "unknown",
      at,
      count: 1,
      // `is_reply` is absent where Cilium does not know, as for packets that were dropped before a connection was.
      direction: opens || flow["is_reply"] === false || l7 !== undefined ? "recorded" : "assumed",
    },
  };
}

function namesIn(flow: JsonObject, key: string): readonly JsonValue[] {
  const names = flow[key];
  return isArray(names) ? names : [];
}

function endOf(
  end: JsonObject | undefined,
  ip: string,
  names: readonly JsonValue[],
  service: JsonObject | undefined,
  ends: FlowEnds,
): FlowEnd {
  const namespace = textIn(end, "namespace");
  const pod = textIn(end, "pod_name");
  const serviceName = textIn(service, "name");
  const key =
    pod === "" ? `${ip}|${serviceName}|${names.length === 0 ? "" : names.join()}` : `${namespace}/${pod}|${ip}|${serviceName}`;
  return ends.of(key, () => {
    const list = end?.["labels"];
    const labels = isArray(list) ? list.filter((label) => typeof label === "string") : [];
    const entity = labels.map((label) => reserved[label]).find((e) => e !== undefined);
    const workloads = end?.["workloads"];
    const first = isArray(workloads) ? workloads[0] : undefined;
    const name = typeof first === "object" && first !== null && "name" in first ? first["name"] : undefined;
    return {
      ip,
      namespace,
      pod,
      workload: typeof name === "string" ? name : "",
      labels: pod === "" ? undefined : podLabels(labels),
      names: names.filter((n) => typeof n === "string"),
      // The API server is a node or the world, too; what says more counts.
      entity: labels.includes("reserved:kube-apiserver") ? "apiserver" : pod === "" ? entity : undefined,
      service: serviceName === "" ? undefined : { name: serviceName, namespace: textIn(service, "namespace") },
    };
  });
}

/** The pod's own labels among those of its identity. */
function podLabels(labels: readonly string[]): { readonly [key: string]: string } {
  const own: [string, string][] = [];
  for (const label of labels) {
    if (!label.startsWith("k8s:")) continue;
    const equals = label.indexOf("=");
    const key = label.slice(4, equals < 0 ? undefined : equals);
    if (key.startsWith("io.cilium.") || key.startsWith("io.kubernetes.pod.")) continue;
    own.push([key, equals < 0 ? "" : label.slice(equals + 1)]);
  }
  return Object.fromEntries(own);
}
