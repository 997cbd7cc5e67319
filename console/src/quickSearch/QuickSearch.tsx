import '@mantine/spotlight/styles.css';

import { useQuery } from '@connectrpc/connect-query';
import { Modal, VisuallyHidden } from '@mantine/core';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData } from '@tanstack/react-query';
import { IconFileSpreadsheet, IconSearch, IconUser } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';

import { SCREENS } from '~/app/screens';
import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import { ImportService } from '~/gen/userimport/v1/import_service_pb';
import { importTitle } from '~/imports/importWords';
import { useSession } from '~/session/Session';
import { STATE_LOOKS } from '~/shared/outcomes';
import { userName } from '~/shared/people';

import { findImports } from './findImports';

/** How many of each kind are offered. */
const OFFERED = 6;

/** Imports further back are found in the history. */
const SEARCHED_IMPORTS = 200;

const [store, actions] = createSpotlight();

interface Offer {
  readonly key: string;
  readonly label: string;
  readonly description?: string;
  readonly icon: ReactNode;
  readonly go: () => void;
}

/** Goes to a screen, a user or an import by a few letters. */
export function QuickSearch({ wanted }: { readonly wanted: number }) {
  const [query, setQuery] = useState('');
  useEffect(() => actions.open(), [wanted]);
  const screens = useScreens(query);
  const users = useUsers(query);
  const imports = useImports(query);
  const { may } = useSession();
  const isNothing = screens.length + users.length + imports.length === 0;
  return (
    <Spotlight.Root store={store} query={query} onQueryChange={setQuery} shortcut={null}>
      <VisuallyHidden>
        <Modal.Title>Quick search</Modal.Title>
      </VisuallyHidden>
      <Spotlight.Search
        placeholder={may('users.read') ? 'Go to a screen, a user or an import' : 'Go to a screen'}
        aria-label="Quick search"
        leftSection={<IconSearch size={18} aria-hidden />}
      />
      <Spotlight.ActionsList>
        <Offers label="Screens" offers={screens} />
        <Offers label="Users" offers={users} />
        <Offers label="Imports" offers={imports} />
        {isNothing && (
          <Spotlight.Empty>
            {may('users.read')
              ? 'Nothing has this name.'
              : 'No screen has this name. To find users and imports you need the permission users.read.'}
          </Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function Offers({ label, offers }: { readonly label: string; readonly offers: readonly Offer[] }) {
  if (offers.length === 0) {
    return null;
  }
  return (
    <Spotlight.ActionsGroup label={label}>
      {offers.map(({ key, label: title, description, icon, go }) => (
        <Spotlight.Action
          key={key}
          label={title}
          {...(description && { description })}
          leftSection={icon}
          onClick={go}
        />
      ))}
    </Spotlight.ActionsGroup>
  );
}

function useScreens(query: string): Offer[] {
  const navigate = useNavigate();
  const wanted = query.trim().toLowerCase();
  return SCREENS.filter(({ label }) => label.toLowerCase().includes(wanted)).map(
    ({ to, label, icon: ScreenIcon }) => ({
      key: to,
      label,
      icon: <ScreenIcon size={18} stroke={1.6} aria-hidden />,
      go: () => void navigate({ to }),
    }),
  );
}

function useUsers(query: string): Offer[] {
  const { organization, may } = useSession();
  const navigate = useNavigate();
  const [text] = useDebouncedValue(query.trim(), 200);
  const { data } = useQuery(
    DirectoryService.method.listUsers,
    { organization, text, pageSize: OFFERED },
    { enabled: text.length > 1 && may('users.read'), placeholderData: keepPreviousData },
  );
  if (text.length < 2 || query.trim().length < 2) {
    return [];
  }
  return (data?.users ?? []).map((user) => ({
    key: user.id,
    label: userName(user),
    description: `${user.externalId} · ${user.email}`,
    icon: <IconUser size={18} stroke={1.6} aria-hidden />,
    go: () => void navigate({ to: '/users/$userId', params: { userId: user.id } }),
  }));
}

function useImports(query: string): Offer[] {
  const { organization, may } = useSession();
  const navigate = useNavigate();
  const wanted = query.trim();
  const { data } = useQuery(
    ImportService.method.listImports,
    { organization, pageSize: SEARCHED_IMPORTS },
    { enabled: wanted.length > 1 && may('users.read'), staleTime: 10_000 },
  );
  return findImports(data?.imports ?? [], wanted, OFFERED).map((record) => ({
    key: record.importId,
    label: importTitle(record),
    description: `${STATE_LOOKS[record.state].label} · ${record.importId}`,
    icon: <IconFileSpreadsheet size={18} stroke={1.6} aria-hidden />,
    go: () => void navigate({ to: '/imports/$importId', params: { importId: record.importId } }),
  }));
}
