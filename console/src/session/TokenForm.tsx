import { Button, PasswordInput, Stack } from '@mantine/core';
import { useState } from 'react';

import { keepToken } from './token';
import { tokenFault } from './tokenFault';

/** Asks for a token. */
export function TokenForm() {
  const [entered, setEntered] = useState('');
  const [fault, setFault] = useState<string>();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const found = entered.trim() ? tokenFault(entered) : 'Enter the token.';
        setFault(found);
        if (found === undefined) {
          keepToken(entered);
        }
      }}
    >
      <Stack gap="sm">
        <PasswordInput
          label="Token"
          description="It is kept for the life of this tab only."
          autoComplete="off"
          data-autofocus
          value={entered}
          error={fault}
          onChange={(event) => {
            setEntered(event.currentTarget.value);
            setFault(undefined);
          }}
          visibilityToggleButtonProps={{ 'aria-label': 'Show what is typed' }}
        />
        <Button type="submit">Sign in</Button>
      </Stack>
    </form>
  );
}
