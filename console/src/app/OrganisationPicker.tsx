import { Select, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';

import { useSession } from '~/session/Session';

/** Says which organisation is shown, and changes it if the caller may see others. */
export function OrganisationPicker() {
  const { organization, organizations } = useSession();
  const navigate = useNavigate();
  if (organizations.length < 2) {
    return (
      <Text size="sm" c="dimmed" truncate>
        {nameOf(organizations[0]) || organization}
      </Text>
    );
  }
  return (
    <Select
      aria-label="Organisation"
      size="xs"
      w={220}
      searchable
      limit={100}
      nothingFoundMessage="No organisation has this name"
      allowDeselect={false}
      value={organization}
      data={organizations.map((one) => ({ value: one.slug, label: nameOf(one) }))}
      onChange={(slug) => slug !== null && void navigate({ to: '/users', search: { organisation: slug } })}
    />
  );
}

function nameOf(one: { slug: string; displayName: string } | undefined): string {
  return one ? one.displayName || one.slug : '';
}
