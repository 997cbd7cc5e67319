import { Code } from '@mantine/core';
import { IconBuilding, IconLock } from '@tabler/icons-react';

import { useSession } from '~/session/Session';
import { EmptyState } from '~/shared/EmptyState';

/** Stands in the place of every screen while it is not known whose users they would show. */
export function NoOrganisation() {
  const { may, principal } = useSession();
  if (!may('users.read')) {
    return (
      <EmptyState icon={<IconLock />} title="You may not list organisations">
        “{principal}” lacks the permission users.read. Write the organisation’s name at the end of this page’s
        address, as in <Code>/console/?organisation=NAME</Code>, or ask the operator of this server for a
        token that has the permission.
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={<IconBuilding />} title="There is no organisation yet">
      An operator creates one with <Code>user-import org create NAME</Code>. Load this page again afterwards.
    </EmptyState>
  );
}
