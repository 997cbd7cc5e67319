import { IconUser, IconUserOff } from '@tabler/icons-react';

import { UserStatus } from '~/gen/userimport/v1/types_pb';

import { LookBadge, type Look } from './outcomes';

const LOOKS: Readonly<Record<UserStatus, Look>> = {
  [UserStatus.UNSPECIFIED]: { label: 'Unknown', icon: IconUser, tone: 'neutral' },
  [UserStatus.ACTIVE]: { label: 'Active', icon: IconUser, tone: 'positive' },
  [UserStatus.INACTIVE]: { label: 'Inactive', icon: IconUserOff, tone: 'neutral' },
};

/** Whether a user may work. */
export function StatusBadge({ status }: { readonly status: UserStatus }) {
  return <LookBadge look={LOOKS[status]} />;
}
