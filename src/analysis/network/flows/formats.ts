import { awsVpcCniParser } from "./aws-vpc-cni.ts";
import { calicoParser } from "./calico.ts";
import { conntrackParser } from "./conntrack.ts";
import { corednsParser } from "./coredns.ts";
import type { FlowLine } from "./flow.ts";
import { hubbleParser } from "./hubble.ts";
import { inspektorGadgetParser } from "./inspektor-gadget.ts";
import { istioParser } from "./istio.ts";

export const flowFormatNames = ["hubble", "calico", "aws-vpc-cni", "istio", "conntrack", "coredns", "inspektor-gadget"] as const;
export type FlowFormatName = (typeof flowFormatNames)[number];

interface FlowFormat {
  /** What only lines of this format hold. */
  readonly looks: RegExp;
  /** A parser remembers the sides that it has met. */
  readonly parser: () => (line: string) => FlowLine;
}

const formats: { readonly [name in FlowFormatName]: FlowFormat } = {
  hubble: { looks: /^\s*\{.*("flow"\s*:\s*\{|"is_reply"|"traffic_direction"|"node_status")/, parser: hubbleParser },
  calico: { looks: /^\s*\{.*"reporter"\s*:/, parser: calicoParser },
  "aws-vpc-cni": { looks: /Flow Info|SIP: .*;\s*SPORT: |network-policy-agent|"caller"\s*:/, parser: awsVpcCniParser },
  istio: { looks: /"downstream_remote_address"|^\[\d{4}-\d\d-\d\dT[^\]]+\] "/, parser: istioParser },
  conntrack: { looks: /\bsrc=\S+ dst=\S+|^conntrack v/, parser: conntrackParser },
  coredns: { looks: /\[(?:INFO|WARNING|ERROR)\] .* IN \S+ (?:udp|tcp) |\[INFO\] plugin\/|^CoreDNS-/, parser: corednsParser },
  "inspektor-gadget": {
    looks: /"remote_kind"|"remoteKind"|"endpoint"\s*:\s*\{|"pkt_type"|"k8s"\s*:\s*\{/,
    parser: inspektorGadgetParser,
  },
};

/** The format that a line is of; undefined where it could be anything. */
export function sniffFlowFormat(line: string): FlowFormatName | undefined {
  return flowFormatNames.find((name) => formats[name].looks.test(line));
}

export function flowParser(name: FlowFormatName): (line: string) => FlowLine {
  return formats[name].parser();
}
