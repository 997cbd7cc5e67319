// Links of the page in the looks of Mantine, with the router's checked addresses.

import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentPropsWithRef } from 'react';

type LinkAttributes = Omit<ComponentPropsWithRef<'a'>, keyof AnchorProps | keyof ButtonProps>;

export const AnchorLink = createLink((props: AnchorProps & LinkAttributes) => (
  <Anchor size="sm" {...props} />
));

export const ButtonLink = createLink((props: ButtonProps & LinkAttributes) => (
  <Button component="a" {...props} />
));
