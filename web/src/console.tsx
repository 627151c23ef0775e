import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  NavLink,
  Text,
  Title,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, Route, Switch, useLocation } from "wouter";
import { query } from "./api.ts";
import { ClusterSelect, useCluster } from "./cluster.tsx";
import { AuditPage } from "./features/audit.tsx";
import { FindingsPage } from "./features/findings.tsx";
import { NetworkPage } from "./features/network.tsx";
import { OverviewPage } from "./features/overview.tsx";
import { PlaygroundPage } from "./features/playground.tsx";
import { PoliciesPage } from "./features/policies.tsx";
import { RightsPage } from "./features/rights.tsx";

const pages = [
  { path: "/", label: "Overview" },
  { path: "/findings", label: "Findings" },
  { path: "/policies", label: "Policies" },
  { path: "/playground", label: "Playground" },
  { path: "/rights", label: "Rights" },
  { path: "/network", label: "Network" },
  { path: "/audit", label: "Audit" },
] as const;

/** The frame around every page: where one is, and where one can go. */
export function Console() {
  const [opened, { toggle, close }] = useDisclosure();
  const [location] = useLocation();
  const cluster = useCluster();
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !opened } }} padding="md">
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between">
          <Group gap="sm">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
            <Title order={1} size="h4">
              Castellan
            </Title>
          </Group>
          <Group gap="sm">
            <ClusterSelect />
            <SchemeButton />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        {pages.map(({ path, label }) => (
          <NavLink
            key={path}
            component={Link}
            href={`${path}${query({ cluster })}`}
            label={label}
            active={path === "/" ? location === "/" : location.startsWith(path)}
            aria-current={location === path ? "page" : undefined}
            onClick={close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>
        <Switch>
          <Route path="/" component={OverviewPage} />
          <Route path="/findings/:id?" component={FindingsPage} />
          <Route path="/policies" component={PoliciesPage} />
          <Route path="/playground" component={PlaygroundPage} />
          <Route path="/rights" component={RightsPage} />
          <Route path="/network" component={NetworkPage} />
          <Route path="/audit" component={AuditPage} />
          <Route>
            <Text>There is no such page.</Text>
          </Route>
        </Switch>
      </AppShell.Main>
    </AppShell>
  );
}

function SchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "light" ? "dark" : "light";
  return (
    <ActionIcon variant="default" size="lg" aria-label={`Use ${other} colours`} onClick={() => setColorScheme(other)}>
      {scheme === "light" ? "☾" : "☀"}
    </ActionIcon>
  );
}
