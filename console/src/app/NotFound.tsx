import { Anchor, Box } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import { ScreenNotice } from './ScreenNotice';

export function NotFound() {
  return (
    <Box component="main" p="lg">
      <ScreenNotice heading="User Import" icon={<IconMapOff />} title="There is no such page">
        <Anchor component={Link} to="/users">
          Go to the users
        </Anchor>
      </ScreenNotice>
    </Box>
  );
}
