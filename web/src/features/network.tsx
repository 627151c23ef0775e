import { Stack, Title } from "@mantine/core";
import { query } from "../api.ts";
import { useCluster } from "../cluster.tsx";

/** The drawing of `castellan net graph -o html`, made from what is live. */
export function NetworkPage() {
  const cluster = useCluster();
  return (
    <Stack h="calc(100vh - 90px)">
      <Title order={2}>Network</Title>
      <iframe
        title="Who may talk to whom"
        src={`/api/v1/network.html${query({ cluster })}`}
        sandbox="allow-scripts"
        style={{ flex: 1, border: 0, borderRadius: 8 }}
      />
    </Stack>
  );
}
