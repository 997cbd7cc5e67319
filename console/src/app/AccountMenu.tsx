import { ActionIcon, Menu, Text } from '@mantine/core';
import { IconLogout, IconUserCircle } from '@tabler/icons-react';

import { useSession } from '~/session/Session';
import { signOut } from '~/session/signOut';
import { When } from '~/shared/When';

/** Who is signed in, until when, and the way out. */
export function AccountMenu() {
  const { principal, expiresAt, serverVersion } = useSession();
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Account: ${principal}`}>
          <IconUserCircle size={22} stroke={1.6} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600}>
            {principal}
          </Text>
          {expiresAt && (
            <Text size="xs">
              Signed in until <When at={expiresAt} absolute />
            </Text>
          )}
          <Text size="xs">Server {serverVersion}</Text>
        </Menu.Label>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={signOut}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
