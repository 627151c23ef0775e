import { Alert, Stack, Table, Tabs, Text } from "@mantine/core";
import { useSearchParams } from "wouter";
import { count } from "../../../src/report/text.ts";
import { type Answer, useAnswer } from "../api.ts";
import { useCluster } from "../cluster.tsx";
import { PageTitle } from "../components/page-title.tsx";
import { Answer as Shown, Time } from "../components/state.tsx";
import { NetworkMaps } from "./network-map.tsx";

/** Who may talk to whom, and who does. */
export function NetworkPage() {
  const [search, setSearch] = useSearchParams();
  return (
    <Stack h="calc(100vh - 90px)">
      <PageTitle text="Network" />
      <Tabs
        value={search.get("show") ?? "map"}
        onChange={(tab) =>
          setSearch((before) => {
            before.delete("at");
            if (tab === "flows") before.set("show", tab);
            else before.delete("show");
            return before;
          })
        }
        style={{ flex: 1, display: "flex", flexDirection: "column", minHeight: 0 }}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="map">What policies allow</Tabs.Tab>
          <Tabs.Tab value="flows">What flows</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="map" pt="sm" style={{ flex: 1, minHeight: 0, overflow: "auto" }}>
          <NetworkMaps />
        </Tabs.Panel>
        <Tabs.Panel value="flows" pt="sm" tabIndex={0} style={{ overflow: "auto" }}>
          <Flows />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

type ClusterFlows = Answer<"/api/v1/flows">["items"][number];

function Flows() {
  const cluster = useCluster();
  const state = useAnswer("/api/v1/flows", { query: { cluster } });
  return (
    <Shown state={state}>
      {({ items }) =>
        items.every(({ flows }) => flows === 0) ? (
          <Text>
            No flow has been told yet: start the server with --flows and the log of Hubble's exporter, or send logs to /v1/logs by
            OTLP.
          </Text>
        ) : (
          <Stack>
            {items.map((one) => (
              <FlowTable key={one.cluster} {...one} />
            ))}
          </Stack>
        )
      }
    </Shown>
  );
}

function FlowTable({ cluster, flows, rows, unknown }: ClusterFlows) {
  const differing = rows.filter(({ differs }) => differs).length;
  return (
    <Stack gap="xs">
      <Text c="dimmed" size="sm" aria-live="polite">
        {cluster}: the last {count(flows, "flow")}, {count(rows.length, "connection")}
      </Text>
      {differing > 0 && (
        <Alert color="yellow">
          <Text fw={700} size="sm">
            {count(differing, "connection")} not treated as the policies say
          </Text>
          They come first: the network lets pass what policies deny, or drops what they allow.
        </Alert>
      )}
      <Table.ScrollContainer minWidth={1000}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={210}>From</Table.Th>
              <Table.Th w={210}>To</Table.Th>
              <Table.Th w={100}>Port</Table.Th>
              <Table.Th w={100}>Flows</Table.Th>
              <Table.Th w={120}>Policies</Table.Th>
              <Table.Th>Why</Table.Th>
              <Table.Th w={120}>Last</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Row key={`${row.from} ${row.to} ${row.protocol} ${row.port}`} row={row} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {unknown.length > 0 && (
        <Text size="sm" c="dimmed">
          No object stands for {unknown.join(", ")}.
        </Text>
      )}
    </Stack>
  );
}

function Row({ row }: { readonly row: ClusterFlows["rows"][number] }) {
  return (
    <Table.Tr style={{ wordBreak: "break-word" }}>
      <Table.Td>{row.from}</Table.Td>
      <Table.Td>{row.names.length === 0 ? row.to : `${row.names.join(", ")} (${row.to})`}</Table.Td>
      <Table.Td>
        {row.protocol} {row.port}
      </Table.Td>
      <Table.Td>
        {row.flows}
        {row.dropped > 0 && `, ${row.dropped === row.flows ? "all" : row.dropped} dropped`}
      </Table.Td>
      <Table.Td>
        <Text size="sm" fw={row.verdict === "denied" ? 700 : undefined}>
          {row.verdict}
        </Text>
        {row.differs && (
          <Text size="xs">{row.verdict === "denied" ? "but the network let it pass" : "but the network dropped some"}</Text>
        )}
      </Table.Td>
      <Table.Td>{row.why}</Table.Td>
      <Table.Td>{row.last === null ? "" : <Time at={row.last} />}</Table.Td>
    </Table.Tr>
  );
}
