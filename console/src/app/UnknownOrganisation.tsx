import { IconBuilding } from '@tabler/icons-react';

import { useSession } from '~/session/Session';

import { ScreenNotice } from './ScreenNotice';

/** The address names an organisation that there is not, or that the caller may not see. */
export function UnknownOrganisation() {
  const { organization } = useSession();
  return (
    <ScreenNotice
      heading="Organisation not found"
      icon={<IconBuilding />}
      title={`You have no organisation “${organization}”`}
    >
      Choose one of yours at the top of the page.
    </ScreenNotice>
  );
}
