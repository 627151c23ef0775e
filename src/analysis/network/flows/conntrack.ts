import { parseIpAddress } from "../../../core/ip-address.ts";
import { bad, FlowEnds, type FlowLine, skipped } from "./flow.ts";

const protocolWord = /\b(tcp|udp|sctp|udplite|icmp|icmpv6|dccp|gre|unknown)\b/i;
const field = /\b(src|dst|sport|dport)=(\S+)/g;

/** `conntrack -L`, `conntrack -E` and `/proc/net/nf_conntrack`. The first tuple is the opener's, the second the reply's. */
export function conntrackParser(): (line: string) => FlowLine {
  const ends = new FlowEnds();
  return (line) => {
    if (/^conntrack v/.test(line)) return skipped("the tool's own line");
    if (line.includes("[DESTROY]")) return skipped("end of a connection");
    const protocol = protocolWord.exec(line)?.[1]?.toUpperCase();
    const fields = [...line.matchAll(field)];
    const first = (name: string) => fields.find(([, key]) => key === name)?.[2];
    const last = (name: string) => fields.findLast(([, key]) => key === name)?.[2];
    const [source, target] = [first("src"), first("dst")];
    if (protocol === undefined || source === undefined || target === undefined) return bad("it is no conntrack entry");
    const replies = fields.filter(([, key]) => key === "src").length > 1;
    // A Service's address is translated: the reply comes from the pod behind it.
    const real = replies ? (last("src") ?? target) : target;
    const port = Number((replies ? last("sport") : undefined) ?? first("dport") ?? Number.NaN);
    for (const ip of [source, real]) if (!parseIpAddress(ip).ok) return bad(`${JSON.stringify(ip)} is not an address`);
    return {
      kind: "flow",
      flow: {
        from: ends.ofAddress(source),
        to: ends.ofAddress(real),
        protocol: protocol === "ICMPV6" ? "ICMP" : protocol,
        port: Number.isInteger(port) && port > 0 ? port : undefined,
        // Without a reply nobody knows whether it arrived.
        verdict: line.includes("[UNREPLIED]") ? "unknown" : "forwarded",
        at: undefined,
        count: 1,
        direction: "recorded",
      },
    };
  };
}
