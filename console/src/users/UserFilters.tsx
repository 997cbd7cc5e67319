import { useQuery } from '@connectrpc/connect-query';
import { Button, CloseButton, Group, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';

import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import { useSession } from '~/session/Session';

import { isFiltered, type UserSearch } from './userSearch';

interface UserFiltersProps {
  readonly search: UserSearch;
  readonly onChange: (search: UserSearch) => void;
}

/** Narrows the list of users. */
export function UserFilters({ search, onChange }: UserFiltersProps) {
  const { organization } = useSession();
  const { data } = useQuery(DirectoryService.method.getCatalog, { organization }, { staleTime: 60_000 });
  const roles = data?.catalog?.roles.map(({ name }) => name) ?? [];
  const groups =
    data?.catalog?.groups.map(({ externalId, name }) => ({ value: externalId, label: name })) ?? [];
  return (
    <Group gap="xs" mb="sm" component="search" aria-label="Filters">
      <SearchBox
        text={search.text ?? ''}
        onChange={(text) => onChange({ ...search, text: text || undefined })}
      />
      <Select
        aria-label="Status"
        placeholder="Any status"
        size="sm"
        w={{ base: 'calc(50% - 4px)', xs: 150 }}
        clearable
        data={[
          { value: 'active', label: 'Active' },
          { value: 'inactive', label: 'Inactive' },
        ]}
        value={search.status ?? null}
        onChange={(status) => onChange({ ...search, status: (status as UserSearch['status']) ?? undefined })}
      />
      <Select
        aria-label="Role"
        placeholder="Any role"
        size="sm"
        w={{ base: 'calc(50% - 4px)', xs: 180 }}
        clearable
        searchable
        data={withChosen(roles, search.role)}
        value={search.role ?? null}
        onChange={(role) => onChange({ ...search, role: role ?? undefined })}
      />
      <Select
        aria-label="Group"
        placeholder="Any group"
        size="sm"
        w={{ base: '100%', xs: 180 }}
        clearable
        searchable
        data={
          groups.some(({ value }) => value === search.group) || search.group === undefined
            ? groups
            : [...groups, { value: search.group, label: search.group }]
        }
        value={search.group ?? null}
        onChange={(group) => onChange({ ...search, group: group ?? undefined })}
      />
      {isFiltered(search) && (
        <Button
          variant="subtle"
          size="sm"
          onClick={() =>
            onChange({ ...search, text: undefined, status: undefined, role: undefined, group: undefined })
          }
        >
          Clear filters
        </Button>
      )}
    </Group>
  );
}

/** A role that an address names is shown even if the catalog has it no more. */
function withChosen(names: string[], chosen: string | undefined): string[] {
  return chosen === undefined || names.includes(chosen) ? names : [...names, chosen];
}

/** Asks for the text to look for, and says it when the typing pauses. */
function SearchBox({ text, onChange }: { readonly text: string; readonly onChange: (text: string) => void }) {
  const [entered, setEntered] = useState(text);
  const [known, setKnown] = useState(text);
  const [isTyping, setTyping] = useState(false);
  const say = useDebouncedCallback((wanted: string) => {
    setTyping(false);
    onChange(wanted);
  }, 300);
  // The address may change without the box, because the filters are cleared or a link is followed.
  if (known !== text) {
    setKnown(text);
    if (!isTyping && entered.trim() !== text) {
      setEntered(text);
    }
  }
  return (
    <TextInput
      aria-label="Search users"
      placeholder="Name, email, badge, username or external ID"
      size="sm"
      w={{ base: '100%', xs: 330 }}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={entered}
      onChange={({ currentTarget }) => {
        setEntered(currentTarget.value);
        setTyping(true);
        say(currentTarget.value.trim());
      }}
      rightSection={
        entered && (
          <CloseButton
            size="sm"
            aria-label="Clear the search"
            onClick={() => {
              say.cancel();
              setTyping(false);
              setEntered('');
              onChange('');
            }}
          />
        )
      }
    />
  );
}
