import { bad, FlowEnds, type FlowLine, skipped } from "./flow.ts";
import { hostAndPort, timeOf } from "./line-json.ts";

// {remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} ...
const query = /(\S+:\d+) - \d+ "(\S+) IN (\S+) (udp|tcp) [^"]*" (\S+)/;
const stamp = /\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)\b/;

/** The `log` plugin of CoreDNS, also with a container runtime's or `kubectl logs --prefix`'s words before it. */
export function corednsParser(): (line: string) => FlowLine {
  const ends = new FlowEnds();
  return (line) => {
    const match = query.exec(line);
    if (match === null) {
      return /\[(?:INFO|WARNING|ERROR)\]|plugin\/|CoreDNS-|^\.:\d+|linux\//.test(line)
        ? skipped("not a query")
        : bad("it is no query");
    }
    const [, client = "", , name = "", protocol, code] = match;
    const address = hostAndPort(client);
    if (address === undefined) return bad(`the client's address ${JSON.stringify(client)} cannot be read`);
    // Search domains are tried in turn; what is not there was not meant.
    if (code !== "NOERROR") return skipped("no such name");
    return {
      kind: "lookup",
      lookup: {
        client: ends.ofAddress(address.ip),
        name: name.replace(/\.$/, "").toLowerCase(),
        protocol: protocol === "tcp" ? "TCP" : "UDP",
        at: timeOf(stamp.exec(line)?.[1] ?? ""),
      },
    };
  };
}
