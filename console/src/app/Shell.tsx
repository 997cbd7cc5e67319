import { Anchor, AppShell, Burger, Group, NavLink, ScrollArea, Text, useMantineTheme } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { Link, useLocation, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';

import { LazyQuickSearch } from '~/quickSearch/LazyQuickSearch';
import { QuickSearchButton } from '~/quickSearch/QuickSearchButton';
import { useSession } from '~/session/Session';

import { AccountMenu } from './AccountMenu';
import { KnownOrganisation } from './KnownOrganisation';
import { NoOrganisation } from './NoOrganisation';
import { OrganisationPicker } from './OrganisationPicker';
import { SCREENS } from './screens';

/** What surrounds every screen: the organisation, the way to the other screens, and the account. */
export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const { breakpoints } = useMantineTheme();
  const isNarrow = useMediaQuery(`(max-width: ${breakpoints.sm})`);
  const session = useSession();
  useEffect(close, [pathname, close]);
  useLoadedScreens();
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 192, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <a href="#content" className="skip-link">
        Skip to the content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={isOpen ? 'Close the menu' : 'Open the menu'}
            />
            <Anchor component={Link} to="/users" underline="never" c="inherit" visibleFrom="sm">
              <Text fw={700}>User Import</Text>
            </Anchor>
            <OrganisationPicker />
          </Group>
          <Group gap="xs" wrap="nowrap">
            <QuickSearchButton />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Screens" {...(isNarrow && !isOpen && { inert: true })}>
        <ScrollArea>
          {SCREENS.map(({ to, label, icon: Icon }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={label}
              active={pathname.startsWith(to)}
              aria-current={pathname.startsWith(to) ? 'page' : undefined}
              leftSection={<Icon size={18} stroke={1.6} aria-hidden />}
            />
          ))}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        {session.organization ? <KnownOrganisation /> : <NoOrganisation />}
      </AppShell.Main>
      {session.organization && <LazyQuickSearch key={session.organization} />}
    </AppShell>
  );
}

/** Milliseconds after which the other screens are loaded, so that they do not delay the first one. */
const LOAD_OTHERS_AFTER = 5000;

/** Loads every screen while the server is there, so that a screen can say so when it is not. */
function useLoadedScreens(): void {
  const router = useRouter();
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const { to } of SCREENS) {
        void router.preloadRoute({ to });
      }
      void router.preloadRoute({ to: '/users/$userId', params: { userId: '' } });
      void router.preloadRoute({ to: '/imports/$importId', params: { importId: '' } });
    }, LOAD_OTHERS_AFTER);
    return () => clearTimeout(timer);
  }, [router]);
}
