import {
  ActionIcon,
  AppShell,
  Badge,
  Burger,
  Button,
  Group,
  NavLink,
  ScrollArea,
  Stack,
  Text,
  Title,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { query } from "./api.ts";
import { ClusterSelect, useCluster } from "./cluster.tsx";
import { PageTitle } from "./components/page-title.tsx";
import { useRequests } from "./features/access/access-api.ts";
import { ApprovePage } from "./features/access/approve-page.tsx";
import { BreakGlassPage } from "./features/access/break-glass-page.tsx";
import { ChatLinkPage } from "./features/access/chat-link-page.tsx";
import { DeadLettersPage } from "./features/access/dead-letters-page.tsx";
import { GrantsPage } from "./features/access/grants-page.tsx";
import { NewRequestPage } from "./features/access/new-request-page.tsx";
import { RecordingsPage } from "./features/access/recordings-page.tsx";
import { MyRequestsPage, RequestPage } from "./features/access/requests-page.tsx";
import { AuditPage } from "./features/audit.tsx";
import { FindingsPage } from "./features/findings.tsx";
import { NetworkPage } from "./features/network.tsx";
import { OverviewPage } from "./features/overview.tsx";
import { PlaygroundPage } from "./features/playground.tsx";
import { PoliciesPage } from "./features/policies.tsx";
import { ReviewPage, ReviewsPage } from "./features/reviews.tsx";
import { RightsPage } from "./features/rights.tsx";
import { act, mayAct, useUser } from "./session.ts";

const pages = [
  { path: "/", label: "Overview", needs: "viewer" },
  { path: "/findings", label: "Findings", needs: "viewer" },
  { path: "/policies", label: "Policies", needs: "viewer" },
  { path: "/playground", label: "Playground", needs: "viewer" },
  { path: "/rights", label: "Rights", needs: "viewer" },
  { path: "/reviews", label: "Access reviews", needs: undefined },
  { path: "/network", label: "Network", needs: "viewer" },
  { path: "/audit", label: "Audit", needs: "auditor" },
] as const;

/** Who has no role here may still ask for access, and decide where a rule names them. */
const accessPages = [
  { path: "/access/approve", label: "To approve", needs: undefined },
  { path: "/access/requests", label: "My requests", needs: undefined },
  { path: "/access/grants", label: "Grants", needs: undefined },
  { path: "/access/break-glass", label: "Break-glass", needs: undefined },
  { path: "/access/recordings", label: "Recordings", needs: "auditor" },
  { path: "/access/notifications", label: "Undelivered", needs: "auditor" },
] as const;

/** The frame around every page: where one is, and where one can go. */
export function Console() {
  const [opened, { toggle, close }] = useDisclosure();
  const user = useUser();
  const isOpen = ({ needs }: { readonly needs: (typeof pages | typeof accessPages)[number]["needs"] }) =>
    user === undefined || needs === undefined || mayAct(user, needs);
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !opened } }} padding="md">
      <a className="skip-link" href="#page">
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px={{ base: "xs", sm: "md" }} justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
            <Title order={1} size="h4" visibleFrom="xs">
              Castellan
            </Title>
          </Group>
          <Group gap="sm" wrap="nowrap">
            <ClusterSelect />
            <Person />
            <SchemeButton />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        <AppShell.Section grow component={ScrollArea}>
          {pages.filter(isOpen).map(({ path, label }) => (
            <PageLink key={path} path={path} label={label} onClick={close} />
          ))}
          <Text size="xs" fw={700} c="dimmed" px="sm" pt="md" pb={4} component="h2">
            Access
          </Text>
          {accessPages.filter(isOpen).map(({ path, label }) => (
            <PageLink
              key={path}
              path={path}
              label={label}
              onClick={close}
              count={path === "/access/approve" ? <WaitingForMe /> : undefined}
            />
          ))}
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1} style={{ outline: "none" }}>
        <Switch>
          <Route path="/">
            {user === undefined || mayAct(user, "viewer") ? <OverviewPage /> : <Redirect to="/access/requests" />}
          </Route>
          <Route path="/findings/:id?" component={FindingsPage} />
          <Route path="/policies" component={PoliciesPage} />
          <Route path="/playground" component={PlaygroundPage} />
          <Route path="/rights" component={RightsPage} />
          <Route path="/network" component={NetworkPage} />
          <Route path="/audit" component={AuditPage} />
          <Route path="/reviews" component={ReviewsPage} />
          <Route path="/reviews/:cluster/:name" component={ReviewPage} />
          <Route path="/access/approve/:id?" component={ApprovePage} />
          <Route path="/access/requests" component={MyRequestsPage} />
          <Route path="/access/requests/:id" component={RequestPage} />
          <Route path="/access/new" component={NewRequestPage} />
          <Route path="/access/grants" component={GrantsPage} />
          <Route path="/access/recordings/:id?" component={RecordingsPage} />
          <Route path="/access/break-glass" component={BreakGlassPage} />
          <Route path="/access/notifications" component={DeadLettersPage} />
          <Route path="/access/link" component={ChatLinkPage} />
          {/* As messages of the gateway name a request. */}
          <Route path="/access/:id">{({ id }) => <Redirect to={`/access/requests/${id}`} replace />}</Route>
          <Route>
            <NoSuchPage />
          </Route>
        </Switch>
      </AppShell.Main>
    </AppShell>
  );
}

function NoSuchPage() {
  return (
    <Stack align="start">
      <PageTitle text="There is no such page" />
      <Text>The address is misspelt, or what it named has gone.</Text>
      <Button component={Link} href="/" variant="default">
        To the start
      </Button>
    </Stack>
  );
}

interface PageLinkProps {
  readonly path: string;
  readonly label: string;
  readonly onClick: () => void;
  readonly count?: ReactNode;
}

function PageLink({ path, label, onClick, count }: PageLinkProps) {
  const [location] = useLocation();
  const cluster = useCluster();
  return (
    <NavLink
      component={Link}
      href={`${path}${query({ cluster })}`}
      label={label}
      active={path === "/" ? location === "/" : location.startsWith(path)}
      aria-current={location === path ? "page" : undefined}
      onClick={onClick}
      rightSection={count}
    />
  );
}

/** How many requests I could decide now; it follows the server. */
function WaitingForMe() {
  const { value } = useRequests({ decidable: true });
  const count = value?.items.length ?? 0;
  if (count === 0) return null;
  return (
    <Badge color="#c92a2a" size="sm" circle={count < 10} aria-label={`${count} wait for you`}>
      {count}
    </Badge>
  );
}

/** Who is logged in: what is asked for and decided here is in their name. */
function Person() {
  const user = useUser();
  if (user === undefined) return null;
  const logOut = async () => {
    const done = await act("/api/v1/logout");
    if (done.ok) window.location.assign("/");
  };
  return (
    <Group gap="xs" wrap="nowrap">
      <Text size="sm" maw={200} truncate title={user.name} visibleFrom="xs">
        {user.name}
      </Text>
      <Button variant="default" size="compact-sm" onClick={logOut}>
        Log out
      </Button>
    </Group>
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
