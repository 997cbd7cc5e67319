import { Box, Text } from '@mantine/core';
import type { ReactNode } from 'react';

import styles from './Facts.module.css';

/** What is known about one thing: a name and a value each. */
export function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>;
}

interface FactProps {
  readonly name: string;
  /** Nothing, or an empty text: the thing has none, and the line says so. */
  readonly children: ReactNode;
}

export function Fact({ name, children }: FactProps) {
  const isBlank = children === '' || children === undefined || children === null;
  return (
    <Box className={styles.fact}>
      <Text component="dt" size="sm" c="dimmed">
        {name}
      </Text>
      <Text component="dd" size="sm" m={0} className={styles.value}>
        {isBlank ? <span className={styles.none}>None</span> : children}
      </Text>
    </Box>
  );
}
