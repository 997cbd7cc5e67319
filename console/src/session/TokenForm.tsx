import { Button, PasswordInput, Stack } from '@mantine/core';
import { useState } from 'react';

import { keepToken } from './token';

/** Asks for a token. */
export function TokenForm() {
  const [entered, setEntered] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        keepToken(entered);
      }}
    >
      <Stack gap="sm">
        <PasswordInput
          label="Token"
          description="It is kept for the life of this tab only."
          autoComplete="off"
          data-autofocus
          required
          value={entered}
          onChange={(event) => setEntered(event.currentTarget.value)}
        />
        <Button type="submit" disabled={!entered.trim()}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
