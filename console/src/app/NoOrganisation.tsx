import { Button, Code } from '@mantine/core';
import { IconBuilding, IconLock, IconRefresh } from '@tabler/icons-react';
import { useIsFetching, useQueryClient } from '@tanstack/react-query';

import { useSession } from '~/session/Session';

import { ScreenNotice } from './ScreenNotice';

/** Stands in the place of every screen while it is not known whose users they would show. */
export function NoOrganisation() {
  const { may, principal } = useSession();
  const queries = useQueryClient();
  const isLooking = useIsFetching({ queryKey: ['organisations'] }) > 0;
  if (!may('users.read')) {
    return (
      <ScreenNotice heading="No organisation" icon={<IconLock />} title="You may not list organisations">
        “{principal}” lacks the permission users.read. Write the organisation’s name at the end of this page’s
        address, as in <Code>/console/?organisation=NAME</Code>, or ask the operator of this server for a
        token that has the permission.
      </ScreenNotice>
    );
  }
  return (
    <ScreenNotice heading="No organisation" icon={<IconBuilding />} title="There is no organisation yet">
      An operator creates one with <Code>user-import org create NAME</Code>.{' '}
      <Button
        mt="md"
        size="xs"
        display="block"
        mx="auto"
        loading={isLooking}
        leftSection={<IconRefresh size={14} aria-hidden />}
        onClick={() => void queries.invalidateQueries({ queryKey: ['organisations'] })}
      >
        Look again
      </Button>
    </ScreenNotice>
  );
}
