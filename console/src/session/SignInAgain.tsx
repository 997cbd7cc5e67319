import { Modal, Stack, Text } from '@mantine/core';

import { changeToken } from './changeToken';
import { ProviderButton } from './ProviderButton';
import { useSession } from './Session';
import { TokenForm } from './TokenForm';

/** Asks for another token over the page, which keeps what was begun. */
export function SignInAgain({ refusal }: { readonly refusal: string }) {
  const { principal } = useSession();
  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Sign in again"
      centered
    >
      <Stack gap="md">
        <Text size="sm">{refusal}</Text>
        <Text size="sm">
          Nothing is lost: what you began goes on once you have signed in as “{principal}”. If somebody else
          signs in, it is forgotten.
        </Text>
        <ProviderButton keepsPage />
        <TokenForm onToken={changeToken} />
      </Stack>
    </Modal>
  );
}
