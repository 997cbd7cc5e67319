import { Alert } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { useSession, type Permission } from '~/session/Session';

interface IfPermittedProps {
  readonly needs: Permission;
  /** What the caller cannot do, as "import users". */
  readonly action: string;
  /** What is shown to callers who may. */
  readonly children: ReactNode;
}

/** Shows `children` to callers with the permission, and to others an explanation in their place. */
export function IfPermitted({ needs, action, children }: IfPermittedProps) {
  const { may, principal } = useSession();
  if (may(needs)) {
    return children;
  }
  return (
    <Alert color="gray" icon={<IconLock aria-hidden />} title={`You may not ${action}`}>
      “{principal}” lacks the permission {needs}. Ask the operator of this server for a token that has it.
    </Alert>
  );
}
