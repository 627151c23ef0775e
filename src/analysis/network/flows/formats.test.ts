import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Flow, FlowEnd, FlowLine } from "./flow.ts";
import { FlowLog } from "./flow-log.ts";
import { type FlowFormatName, flowFormatNames, flowParser, sniffFlowFormat } from "./formats.ts";
import { ownerNames } from "./pod-names.ts";

const name = (end: FlowEnd) =>
  [end.namespace === "" ? "" : `${end.namespace}/`, end.pod || end.workload || end.ip || end.entity || end.service?.name].join(
    "",
  ) + (end.names.length === 0 ? "" : `(${end.names})`);

const say = (flow: Flow) =>
  `${name(flow.from)} -> ${name(flow.to)} ${flow.protocol} ${flow.port ?? "?"} ${flow.verdict} ${flow.direction} x${flow.count}`;

function describeLine(line: FlowLine): string {
  switch (line.kind) {
    case "flow":
      return say(line.flow);
    case "lookup":
      return `${name(line.lookup.client)} asks ${line.lookup.name} over ${line.lookup.protocol}`;
    case "skipped":
      return `skipped: ${line.reason}`;
    case "bad":
      return `bad: ${line.message}`;
  }
}

const hubblePod = (pod: string, labels: readonly string[]) => ({ namespace: "nlp", pod_name: pod, labels });
const hubble = (flow: object) => JSON.stringify({ flow: { time: "2026-11-20T10:00:00Z", ...flow }, node_name: "n1" });
const addresses = { IP: { source: "10.0.0.1", destination: "10.0.0.2" } };
const podToPod = {
  ...addresses,
  source: hubblePod("gw-7c9d5f-x2x4z", ["k8s:app=gw", "k8s:io.kubernetes.pod.namespace=nlp"]),
  destination: hubblePod("llm-0", ["k8s:app=llm"]),
};

const rows: readonly (readonly [FlowFormatName, string, string, string])[] = [
  [
    "hubble",
    "a SYN",
    hubble({ ...podToPod, verdict: "FORWARDED", l4: { TCP: { source_port: 5, destination_port: 8000, flags: { SYN: true } } } }),
    "nlp/gw-7c9d5f-x2x4z -> nlp/llm-0 TCP 8000 forwarded recorded x1",
  ],
  [
    "hubble",
    "the answer to a SYN",
    hubble({ ...podToPod, verdict: "FORWARDED", l4: { TCP: { destination_port: 40123, flags: { SYN: true, ACK: true } } } }),
    "skipped: reply",
  ],
  ["hubble", "a reply", hubble({ ...podToPod, is_reply: true, l4: { TCP: { destination_port: 40123 } } }), "skipped: reply"],
  [
    "hubble",
    "nobody knows who began",
    hubble({ ...podToPod, verdict: "DROPPED", l4: { UDP: { destination_port: 4000 } } }),
    "nlp/gw-7c9d5f-x2x4z -> nlp/llm-0 UDP 4000 dropped assumed x1",
  ],
  [
    "hubble",
    "to the world, by name, audited",
    hubble({
      ...addresses,
      source: podToPod.source,
      destination: { identity: 2, labels: ["reserved:world"] },
      destination_names: ["huggingface.co"],
      is_reply: false,
      verdict: "AUDIT",
      l4: { TCP: { destination_port: 443 } },
    }),
    "nlp/gw-7c9d5f-x2x4z -> 10.0.0.2(huggingface.co) TCP 443 audited recorded x1",
  ],
  [
    "hubble",
    "a DNS request",
    hubble({ ...podToPod, l4: { UDP: { destination_port: 53 } }, l7: { type: "REQUEST", dns: { query: "HuggingFace.co." } } }),
    "nlp/gw-7c9d5f-x2x4z asks huggingface.co over UDP",
  ],
  ["hubble", "status", '{"node_status":{"state":"NODE_CONNECTED"},"node_name":"n1"}', "skipped: status of a node"],
  ["hubble", "half a line", '{"flow":{"verdict":"FORW', "bad: the line is not JSON"],
  [
    "calico",
    "between pods",
    '{"source_name":"-","source_name_aggr":"frontend-755cdc7957-*","source_namespace":"shop","source_type":"wep","source_labels":{"labels":["app=frontend"]},"dest_name":"-","dest_name_aggr":"cart-7d4899b484-*","dest_namespace":"shop","dest_port":7070,"dest_type":"wep","proto":"tcp","action":"allow","reporter":"src","num_flows_started":3}',
    "shop/frontend-755cdc7957-* -> shop/cart-7d4899b484-* TCP 7070 forwarded recorded x3",
  ],
  [
    "calico",
    "the other side's report",
    '{"source_name_aggr":"a-*","source_namespace":"s","source_type":"wep","dest_name_aggr":"b-*","dest_namespace":"s","dest_type":"wep","proto":"tcp","action":"allow","reporter":"dst"}',
    "skipped: reported by the caller, too",
  ],
  [
    "calico",
    "denied at the other side",
    '{"source_ip":"10.1.1.1","source_name":"m","source_name_aggr":"m","source_namespace":"d","source_type":"wep","dest_name":"c-5d8b6-w","dest_name_aggr":"c-5d8b6-*","dest_namespace":"h","dest_port":5050,"dest_type":"wep","proto":"tcp","action":"deny","reporter":"dst"}',
    "d/m -> h/c-5d8b6-w TCP 5050 dropped recorded x1",
  ],
  [
    "calico",
    "from the internet",
    '{"source_ip":"35.32.82.134","source_name":"-","source_name_aggr":"pub","source_namespace":"-","source_type":"net","dest_ip":"10.10.1.20","dest_name":"basic-6","dest_name_aggr":"basic-*","dest_namespace":"default","dest_port":0,"dest_type":"wep","proto":"tcp","action":"allow","reporter":"dst"}',
    "35.32.82.134 -> default/basic-6 TCP ? forwarded recorded x1",
  ],
  [
    "aws-vpc-cni",
    "1.2.2",
    '{"level":"debug","ts":"2026-04-13T21:18:46.888Z","caller":"x","msg":"Flow Info: Src IP: 10.0.1.28 Src Port: 55484 Dest IP: 10.0.1.132 Dest Port: 80 Proto TCP Verdict ACCEPT Direction egress"}',
    "10.0.1.28 -> 10.0.1.132 TCP 80 forwarded recorded x1",
  ],
  [
    "aws-vpc-cni",
    "with colons and a tier",
    '{"level":"info","ts":"2026-05-31T21:57:47.020Z","msg":"Flow Info: Src IP: fd00::1 Src Port: 443 Dest IP: fd00::2 Dest Port: 42188 Proto: TCP Verdict: DENY Direction: ingress Tier: NETWORK_POLICY"}',
    "fd00::1 -> fd00::2 TCP 42188 dropped recorded x1",
  ],
  [
    "aws-vpc-cni",
    "1.0",
    '{"level":"info","ts":"2024-09-23T12:36:53.562Z","logger":"ebpf-client","msg":"Flow Info: ","Src IP":"10.0.141.167","Src Port":39197,"Dest IP":"172.20.0.10","Dest Port":53,"Proto":"UDP","Verdict":"ACCEPT"}',
    "10.0.141.167 -> 172.20.0.10 UDP 53 forwarded recorded x1",
  ],
  [
    "aws-vpc-cni",
    "CloudWatch",
    "Node: ip-10-0-1-1;SIP: 10.0.0.5;SPORT: 40000;DIP: 10.0.0.6;DPORT: 8080;PROTOCOL: TCP;PolicyVerdict: ACCEPT",
    "10.0.0.5 -> 10.0.0.6 TCP 8080 forwarded recorded x1",
  ],
  ["aws-vpc-cni", "another message", '{"level":"info","caller":"x","msg":"Successfully attached"}', "skipped: not about a flow"],
  [
    "istio",
    "JSON of the caller's side",
    '{"upstream_cluster":"outbound|9080|v1|details.default.svc.cluster.local","downstream_remote_address":"10.244.2.77:56892","upstream_host":"10.244.2.75:9080","start_time":"2020-09-30T03:22:42.267Z"}',
    "10.244.2.77 -> 10.244.2.75 TCP 9080 forwarded recorded x1",
  ],
  [
    "istio",
    "text of the server's side",
    '[2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 4 "-" "curl/7.73.0-DEV" "84961386" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 outbound_.8000_._.httpbin.foo.svc.cluster.local default',
    "10.44.1.23 -> 10.44.1.27 TCP 80 forwarded recorded x1",
  ],
  [
    "istio",
    "outside, by its server name",
    '{"upstream_cluster":"PassthroughCluster","downstream_remote_address":"10.1.1.1:5","upstream_host":"1.2.3.4:443","requested_server_name":"api.openai.com"}',
    "10.1.1.1 -> 1.2.3.4(api.openai.com) TCP 443 forwarded recorded x1",
  ],
  [
    "conntrack",
    "through a Service",
    "tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.96.0.10 sport=45678 dport=80 src=10.0.0.9 dst=10.0.0.1 sport=8080 dport=45678 [ASSURED] mark=0 use=1",
    "10.0.0.1 -> 10.0.0.9 TCP 8080 forwarded recorded x1",
  ],
  [
    "conntrack",
    "no reply yet, /proc form",
    "ipv4     2 udp      17 25 src=192.168.95.5 dst=8.8.8.8 sport=54321 dport=53 [UNREPLIED] src=8.8.8.8 dst=192.168.95.5 sport=53 dport=54321 mark=0 zone=0 use=1",
    "192.168.95.5 -> 8.8.8.8 UDP 53 unknown recorded x1",
  ],
  [
    "conntrack",
    "the tool's word",
    "conntrack v1.4.4 (conntrack-tools): 2 flow entries have been shown.",
    "skipped: the tool's own line",
  ],
  [
    "conntrack",
    "an address cut off",
    "tcp 6 1 ESTABLISHED src=10.0.0. dst=10.0.0.2 sport=1 dport=2",
    'bad: "10.0.0." is not an address',
  ],
  [
    "coredns",
    "a query",
    '[INFO] 10.161.0.2:47894 - 0514 "A IN api.anthropic.com. udp 52 false 512" NOERROR qr,rd,ra 71 0.000183636s',
    "10.161.0.2 asks api.anthropic.com over UDP",
  ],
  [
    "coredns",
    "a search domain",
    '[INFO] 10.29.101.97:51305 - 50693 "A IN amazon.com.ap-northeast-2.compute.internal. udp 60 false 512" NXDOMAIN qr,rd,ra 183 0.001544829s',
    "skipped: no such name",
  ],
  [
    "coredns",
    "a start message",
    "[INFO] plugin/reload: Running configuration MD5 = db32ca3650231d74073ff4cf814959a7",
    "skipped: not a query",
  ],
  [
    "inspektor-gadget",
    "of 2020",
    '{"type":"connect","remote_kind":"svc","port":3550,"local_pod_namespace":"demo","local_pod_name":"checkout-1","local_pod_labels":{"app":"checkout"},"remote_svc_namespace":"demo","remote_svc_name":"catalog","remote_svc_label_selector":{"app":"catalog"}}',
    "demo/checkout-1 -> catalog TCP 3550 forwarded recorded x1",
  ],
  [
    "inspektor-gadget",
    "of 2022, incoming",
    '{"namespace":"demo","pod":"b","pkt_type":"HOST","proto":"tcp","port":80,"pod_labels":{"app":"b"},"remote_kind":"pod","remote_pod_namespace":"demo","remote_pod_name":"a"}',
    "demo/a -> demo/b TCP 80 forwarded recorded x1",
  ],
  [
    "inspektor-gadget",
    "of 2025",
    '{"k8s":{"namespace":"demo","podName":"a","podLabels":"app=a,tier=x"},"egress":1,"endpoint":{"addr":"1.1.1.1","port":443,"proto":"TCP","k8s":{"kind":"raw"}}}',
    "demo/a -> 1.1.1.1 TCP 443 forwarded recorded x1",
  ],
];

describe("lines of every format", () => {
  test.each(rows)("%s: %s", (format, _, line, expected) => expect(describeLine(flowParser(format)(line))).toBe(expected));

  test.each(rows.filter(([, , , expected]) => !expected.startsWith("bad")))("%s is recognised by: %s", (format, _, line) =>
    expect(sniffFlowFormat(line)).toBe(format),
  );

  test("an aws tuple that is the reverse of one before is its reply", () => {
    const parse = flowParser("aws-vpc-cni");
    const line = (a: string, b: string) =>
      `{"msg":"Flow Info: Src IP: ${a} Dest IP: ${b} Proto TCP Verdict ACCEPT Direction egress"}`;
    expect(parse(line("10.0.0.1 Src Port: 4000", "10.0.0.2 Dest Port: 80")).kind).toBe("flow");
    expect(parse(line("10.0.0.2 Src Port: 80", "10.0.0.1 Dest Port: 4000"))).toEqual({ kind: "skipped", reason: "reply" });
  });

  test.each(flowFormatNames)("%s takes any text without throwing", (format) => {
    const parse = flowParser(format);
    const piece = fc.oneof(fc.string(), fc.json(), fc.constantFrom(...rows.map(([, , line]) => line)));
    fc.assert(
      fc.property(piece, fc.nat(300), fc.nat(300), (text, from, length) => {
        expect(["flow", "lookup", "skipped", "bad"]).toContain(parse(text.slice(from, from + length)).kind);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a log", () => {
  const read = (text: string, format?: FlowFormatName) => {
    const flows: string[] = [];
    const log = new FlowLog({ add: (flow) => flows.push(say(flow)), addLookup: () => undefined }, format);
    log.begin("flows.log");
    for (const line of text.split("\n")) log.line(line);
    log.end();
    return { flows, log, problems: log.diagnostics.map((d) => `${d.code} ${d.span?.start.line ?? ""} ${d.message}`) };
  };
  const conntrack = (n: number) => `tcp 6 1 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=${n}`;

  test("bad lines are named by number, the rest is read", () => {
    const { flows, problems } = read(`${conntrack(80)}\nnonsense\n\n${conntrack(81)}\n`);
    expect(flows).toHaveLength(2);
    expect(problems).toEqual(["FLOW_LINE_INVALID 2 it is no conntrack entry"]);
  });

  test("many bad lines are counted", () => {
    const { problems, log } = read([conntrack(80), ...Array.from({ length: 9 }, () => "x")].join("\n"));
    expect(problems).toHaveLength(6);
    expect(problems.at(-1)).toBe("FLOW_LINE_INVALID 10 4 more lines cannot be read");
    expect(log.bad).toBe(9);
  });

  test.each(["", "what is\nthis"])("a file of no known format is an error: %j", (text) => {
    expect(read(text).problems.at(-1)).toBe("FLOW_FORMAT_UNKNOWN  flows.log holds no line of a known format");
  });
});

test.each([
  ["frontend-755cdc7957-x2x4z", ["frontend-755cdc7957-x2x4z", "frontend", "frontend-755cdc7957"]],
  ["qdrant-0", ["qdrant-0", "qdrant"]],
  ["ds-x2x4z", ["ds-x2x4z", "ds"]],
  ["frontend-755cdc7957-*", ["frontend-755cdc7957", "frontend"]],
  ["report-29384756-x2x4z", ["report-29384756-x2x4z", "report-29384756", "report"]],
])("controllers behind the pod name %s", (pod, expected) => expect(ownerNames(pod)).toEqual(expected));
