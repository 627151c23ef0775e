import { bad, type FlowEnd, FlowEnds, type FlowLine, skipped } from "./flow.ts";
import { hostAndPort, jsonLine, textIn, timeOf } from "./line-json.ts";

interface Access {
  readonly cluster: string;
  readonly upstreamHost: string;
  readonly downstreamLocal: string;
  readonly downstreamRemote: string;
  readonly serverName: string;
  readonly at: number | undefined;
}

// Istio's default text: ... "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL% %DOWNSTREAM_LOCAL% %DOWNSTREAM_REMOTE% %SNI% %ROUTE%
const text = /^\[([^\]]+)\] ".*" "([^"]*)" (\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\s*$/;

/** Access logs of Istio's proxies, as JSON or in its default text. Only TCP is proxied. */
export function istioParser(): (line: string) => FlowLine {
  const ends = new FlowEnds();
  return (line) => {
    const access = accessOf(line);
    if (access === undefined) return bad("it is no access log line of Istio");
    const from = hostAndPort(access.downstreamRemote);
    if (from === undefined) return bad(`the caller's address ${JSON.stringify(access.downstreamRemote)} cannot be read`);
    const [direction, , , host = ""] = access.cluster.split("|");
    // The server's side sees its own pod as the upstream on the loopback.
    const reached = direction === "inbound" ? access.downstreamLocal : access.upstreamHost;
    const to = hostAndPort(reached);
    if (to === undefined) return skipped("no upstream was reached");
    return {
      kind: "flow",
      flow: {
        from: ends.ofAddress(from.ip),
        to: target(to.ip, host, direction === "inbound" ? "-" : access.serverName, ends),
        protocol: "TCP",
        port: to.port,
        verdict: "forwarded",
        at: access.at,
        count: 1,
        direction: "recorded",
      },
    };
  };
}

function target(ip: string, host: string, serverName: string, ends: FlowEnds): FlowEnd {
  const [name = "", namespace = "", svc] = host.split(".");
  const inCluster = svc === "svc";
  const external = inCluster ? "" : host || (serverName === "-" ? "" : serverName);
  return ends.of(`${ip}|${host}|${external}`, () => ({
    ip,
    names: external === "" ? [] : [external],
    service: inCluster ? { name, namespace } : undefined,
  }));
}

function accessOf(line: string): Access | undefined {
  if (!line.startsWith("{")) {
    const [, time = "", upstreamHost = "", cluster = "", , downstreamLocal = "", downstreamRemote = "", serverName = ""] =
      text.exec(line) ?? [];
    if (time === "") return undefined;
    return { cluster, upstreamHost, downstreamLocal, downstreamRemote, serverName, at: timeOf(time) };
  }
  const record = jsonLine(line);
  if (record?.["downstream_remote_address"] === undefined) return undefined;
  return {
    cluster: textIn(record, "upstream_cluster"),
    upstreamHost: textIn(record, "upstream_host"),
    downstreamLocal: textIn(record, "downstream_local_address"),
    downstreamRemote: textIn(record, "downstream_remote_address"),
    serverName: textIn(record, "requested_server_name"),
    at: timeOf(textIn(record, "start_time")),
  };
}
