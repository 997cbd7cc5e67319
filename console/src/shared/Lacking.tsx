import { Text } from '@mantine/core';

import { useSession, type Permission } from '~/session/Session';

interface LackingProps {
  readonly needs: Permission;
  /** What the permission is needed for, as "undo this import". */
  readonly action: string;
}

/** Stands in the place of a button that needs a permission which the caller lacks. Nothing if the caller has it. */
export function Lacking({ needs, action }: LackingProps) {
  const { may, principal } = useSession();
  return may(needs) ? null : (
    <Text size="sm" c="dimmed">
      “{principal}” lacks the permission {needs}, which is needed to {action}.
    </Text>
  );
}
