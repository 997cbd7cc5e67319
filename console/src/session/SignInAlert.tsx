import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

/** Says why somebody is not signed in. */
export function SignInAlert({ title, reason }: { readonly title: string; readonly reason: string }) {
  return (
    <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title={title} role="alert">
      {reason}
    </Alert>
  );
}
