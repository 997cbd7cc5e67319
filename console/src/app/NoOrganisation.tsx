import { Code } from '@mantine/core';
import { IconBuilding } from '@tabler/icons-react';

import { EmptyState } from '~/shared/EmptyState';

export function NoOrganisation() {
  return (
    <EmptyState icon={<IconBuilding />} title="There is no organisation yet">
      An operator creates one with <Code>user-import org create NAME</Code>. Load this page again afterwards.
    </EmptyState>
  );
}
