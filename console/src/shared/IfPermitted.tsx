import { Alert } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { useSession, type Permission } from '~/session/Session';

import { PageHeader } from './PageHeader';

interface IfPermittedProps {
  readonly needs: Permission;
  /** What the caller cannot do, as "import users". */
  readonly action: string;
  /** Heading of a screen that has none besides what only permitted callers see. */
  readonly heading?: string;
  /** What is shown to callers who may. */
  readonly children: ReactNode;
}

/** Shows `children` to callers with the permission, and to others an explanation in their place. */
export function IfPermitted({ needs, action, heading, children }: IfPermittedProps) {
  const { may, principal } = useSession();
  if (may(needs)) {
    return children;
  }
  return (
    <>
      {heading !== undefined && <PageHeader title={heading} />}
      <Alert color="gray" icon={<IconLock aria-hidden />} title={`You may not ${action}`}>
        “{principal}” lacks the permission {needs}. Ask the operator of this server for a token that has it.
      </Alert>
    </>
  );
}
