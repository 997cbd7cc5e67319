import {
  IconClipboardList,
  IconHistory,
  IconSettings,
  IconTableImport,
  IconUsers,
  type Icon,
} from '@tabler/icons-react';

/** The screens of the menu, in its order. */
export const SCREENS: readonly { to: string; label: string; icon: Icon }[] = [
  { to: '/users', label: 'Users', icon: IconUsers },
  { to: '/import-users', label: 'Import users', icon: IconTableImport },
  { to: '/imports', label: 'Imports', icon: IconHistory },
  { to: '/settings', label: 'Settings', icon: IconSettings },
  { to: '/audit', label: 'Audit', icon: IconClipboardList },
];
