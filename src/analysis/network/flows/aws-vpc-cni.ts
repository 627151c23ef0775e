import { parseIpAddress } from "../../../core/ip-address.ts";
import type { JsonObject } from "../../../core/json.ts";
import { bad, FlowEnds, type FlowLine, type FlowVerdict, skipped } from "./flow.ts";
import { jsonLine, numberIn, textIn, timeOf } from "./line-json.ts";

// 1.2.2 and later; some builds write a colon after the names, some do not.
const message =
  /Src IP:\s*(\S+)\s+Src Port:\s*(\d+)\s+Dest IP:\s*(\S+)\s+Dest Port:\s*(\d+)\s+Proto:?\s+(\S+)\s+Verdict:?\s+(\S+)/;
const cloudWatch = /SIP: ([^;]+);\s*SPORT: (\d+);\s*DIP: ([^;]+);\s*DPORT: (\d+);\s*PROTOCOL: ([^;]+);\s*PolicyVerdict: (\S+)/;

/** How many tuples are remembered to know a reply by. */
const remembered = 65_536;

/**
 * The node agent's log (`network-policy-agent.log`, JSON) and its CloudWatch lines. The agent logs a packet that it has no
 * connection for: a tuple that is the reverse of one seen before is its reply.
 */
export function awsVpcCniParser(): (line: string) => FlowLine {
  const ends = new FlowEnds();
  const seen = new Set<string>();
  return (line) => {
    const parts = partsOf(line);
    if (typeof parts === "string") return parts === "" ? skipped("not about a flow") : bad(parts);
    const { source, sourcePort, target, port, protocol, verdict, at } = parts;
    if (verdict.startsWith("EXPIRED")) return skipped("end of a connection");
    for (const ip of [source, target]) if (!parseIpAddress(ip).ok) return bad(`${JSON.stringify(ip)} is not an address`);
    if (seen.has(`${target} ${port} ${source} ${sourcePort} ${protocol}`)) return skipped("reply");
    if (seen.size >= remembered) seen.clear();
    seen.add(`${source} ${sourcePort} ${target} ${port} ${protocol}`);
    return {
      kind: "flow",
      flow: {
        from: ends.ofAddress(source),
        to: ends.ofAddress(target),
        protocol: protocol.toUpperCase(),
        port: Number(port),
        verdict: verdicts[verdict] ?? "unknown",
        at,
        count: 1,
        direction: "recorded",
      },
    };
  };
}

const verdicts: { readonly [name: string]: FlowVerdict } = { ACCEPT: "forwarded", DENY: "dropped" };

interface Parts {
  readonly source: string;
  readonly sourcePort: string;
  readonly target: string;
  readonly port: string;
  readonly protocol: string;
  readonly verdict: string;
  readonly at: number | undefined;
}

/** A text says what is wrong; an empty one that the line is about something else. */
function partsOf(line: string): Parts | string {
  const trimmed = line.trimStart();
  if (!trimmed.startsWith("{")) return fromMatch(cloudWatch.exec(line) ?? message.exec(line), undefined);
  const record = jsonLine(trimmed);
  if (record === undefined) return "the line is not JSON";
  const text = textIn(record, "msg") || textIn(record, "message");
  const at = timeOf(textIn(record, "ts"));
  if (!text.includes("Flow Info") && !text.includes("PolicyVerdict")) return "";
  return textIn(record, "Src IP") === "" ? fromMatch(message.exec(text) ?? cloudWatch.exec(text), at) : fromFields(record, at);
}

function fromFields(record: JsonObject, at: number | undefined): Parts {
  return {
    source: textIn(record, "Src IP"),
    sourcePort: String(numberIn(record, "Src Port") ?? 0),
    target: textIn(record, "Dest IP"),
    port: String(numberIn(record, "Dest Port") ?? 0),
    protocol: textIn(record, "Proto"),
    verdict: textIn(record, "Verdict"),
    at,
  };
}

function fromMatch(match: RegExpExecArray | null, at: number | undefined): Parts | string {
  if (match === null) return "the addresses, ports and verdict of the flow cannot be read";
  const [, source = "", sourcePort = "", target = "", port = "", protocol = "", verdict = ""] = match;
  return { source, sourcePort, target, port, protocol, verdict, at };
}
