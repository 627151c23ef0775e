import { isObject, type JsonObject, type JsonValue } from "../../../core/json.ts";
import { bad, type FlowEnd, FlowEnds, type FlowLine, skipped } from "./flow.ts";
import { jsonLine, numberIn, objectIn, textIn, timeOf } from "./line-json.ts";

/**
 * Events of Inspektor Gadget: `advise_networkpolicy` (2024 and later), `trace network` (2022) and the network policy advisor
 * (2020). Each is about one pod and its peer.
 */
export function inspektorGadgetParser(): (line: string) => FlowLine {
  const ends = new FlowEnds();
  return (line) => {
    const record = jsonLine(line);
    if (record === undefined) return bad("the line is not JSON");
    if (objectIn(record, "endpoint") !== undefined) return readAdvice(record, ends);
    if (objectIn(record, "src") !== undefined && objectIn(record, "dst") !== undefined) return readTrace(record, ends);
    if (record["pkt_type"] !== undefined || record["pktType"] !== undefined) return readPacket(record, ends);
    const type = textIn(record, "type");
    if (record["remote_kind"] !== undefined && (type === "connect" || type === "accept")) return readAdvisor(record, type, ends);
    return type === "ready" || type === "debug" ? skipped("not about a flow") : bad("it is no event about a connection");
  };
}

function flowOf(
  opens: boolean,
  own: FlowEnd,
  peer: FlowEnd,
  record: JsonObject,
  port: number | undefined,
  protocol: string,
): FlowLine {
  return {
    kind: "flow",
    flow: {
      from: opens ? own : peer,
      to: opens ? peer : own,
      protocol: protocol === "" ? "TCP" : protocol.toUpperCase(),
      port,
      verdict: "forwarded",
      at: timeOf(textIn(record, "timestamp")),
      count: 1,
      direction: "recorded",
    },
  };
}

/** `{"k8s":{...},"egress":1,"endpoint":{"addr":...,"port":...,"proto":"TCP","k8s":{"kind":"pod",...}}}` */
function readAdvice(record: JsonObject, ends: FlowEnds): FlowLine {
  const k8s = objectIn(record, "k8s");
  // Policies do not hold pods of the host's network.
  if (k8s?.["hostnetwork"] === true || k8s?.["hostNetwork"] === true) return skipped("a pod of the host's network");
  const endpoint = objectIn(record, "endpoint");
  const own = pod(textIn(k8s, "namespace"), textIn(k8s, "podName"), textIn(k8s, "podIP"), k8s?.["podLabels"], ends, ownerOf(k8s));
  const opens = record["egress"] === 1 || record["egress"] === true;
  return flowOf(opens, own, endpointEnd(endpoint, ends), record, numberIn(endpoint, "port"), textIn(endpoint, "proto"));
}

/** `trace_tcp`, `trace_tcpconnect`: the source opens. */
function readTrace(record: JsonObject, ends: FlowEnds): FlowLine {
  const type = textIn(record, "type");
  if (type === "accept" || type === "close") return skipped("the other side of a connection");
  const [source, target] = [objectIn(record, "src"), objectIn(record, "dst")];
  const k8s = objectIn(record, "k8s");
  const own = pod(
    textIn(k8s, "namespace"),
    textIn(k8s, "podName"),
    textIn(source, "addr"),
    k8s?.["podLabels"],
    ends,
    ownerOf(k8s),
  );
  const port = numberIn(target, "port");
  return flowOf(true, own, endpointEnd(target, ends), record, port, textIn(target, "proto"));
}

function ownerOf(k8s: JsonObject | undefined): string {
  return textIn(objectIn(k8s, "owner"), "name");
}

function endpointEnd(endpoint: JsonObject | undefined, ends: FlowEnds): FlowEnd {
  const k8s = objectIn(endpoint, "k8s");
  const [ip, kind, namespace, name] = [
    textIn(endpoint, "addr"),
    textIn(k8s, "kind"),
    textIn(k8s, "namespace"),
    textIn(k8s, "name"),
  ];
  if (kind === "pod") return pod(namespace, name, ip, k8s?.["labels"], ends);
  if (kind === "svc") return service(namespace, name, ip, ends);
  return ends.ofAddress(ip);
}

/** `{"pkt_type":"OUTGOING","proto":"tcp","port":80,"remote_kind":"svc","remote_svc_name":...}` */
function readPacket(record: JsonObject, ends: FlowEnds): FlowLine {
  const direction = textIn(record, "pkt_type") || textIn(record, "pktType");
  if (direction !== "OUTGOING" && direction !== "HOST") return skipped("not about a connection of a pod");
  const read = (key: string) =>
    textIn(record, key) ||
    textIn(
      record,
      key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    );
  const own = pod(
    textIn(record, "namespace"),
    textIn(record, "pod"),
    read("pod_ip"),
    record["pod_labels"] ?? record["podLabels"],
    ends,
    read("pod_owner"),
  );
  return flowOf(
    direction === "OUTGOING",
    own,
    remoteEnd(record, read, ends),
    record,
    numberIn(record, "port"),
    textIn(record, "proto"),
  );
}

function readAdvisor(record: JsonObject, type: "connect" | "accept", ends: FlowEnds): FlowLine {
  const read = (key: string) => textIn(record, key);
  const own = pod(
    read("local_pod_namespace"),
    read("local_pod_name"),
    "",
    record["local_pod_labels"],
    ends,
    read("local_pod_owner"),
  );
  return flowOf(type === "connect", own, remoteEnd(record, read, ends), record, numberIn(record, "port"), "TCP");
}

function remoteEnd(record: JsonObject, read: (key: string) => string, ends: FlowEnds): FlowEnd {
  switch (read("remote_kind")) {
    case "pod":
      return pod(
        read("remote_pod_namespace"),
        read("remote_pod_name"),
        "",
        record["remote_pod_labels"] ?? record["remotePodLabels"],
        ends,
      );
    case "svc":
      return service(read("remote_svc_namespace"), read("remote_svc_name"), "", ends);
    default:
      return ends.ofAddress(read("remote_other") || read("remote_addr"));
  }
}

function pod(namespace: string, name: string, ip: string, labels: JsonValue | undefined, ends: FlowEnds, workload = ""): FlowEnd {
  return ends.of(`${namespace}/${name}|${ip}`, () => ({ ip, namespace, pod: name, workload, labels: labelsOf(labels) }));
}

function service(namespace: string, name: string, ip: string, ends: FlowEnds): FlowEnd {
  return ends.of(`svc ${namespace}/${name}`, () => ({ ip, service: { namespace, name } }));
}

/** `a=b,c=d` or an object. */
function labelsOf(value: JsonValue | undefined): { readonly [key: string]: string } | undefined {
  if (typeof value === "string") {
    const pairs = value.split(",").filter((pair) => pair.includes("="));
    return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  }
  if (!isObject(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter((e): e is [string, string] => typeof e[1] === "string"));
}
