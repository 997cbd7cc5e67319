import { Anchor } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import { EmptyState } from '~/shared/EmptyState';

export function NotFound() {
  return (
    <EmptyState icon={<IconMapOff />} title="There is no such page">
      <Anchor component={Link} to="/users">
        Go to the users
      </Anchor>
    </EmptyState>
  );
}
