// Values of a roster as text. A roster may hold anything: a value never changes the direction of the text around it,
// and a character that cannot be seen is shown by a sign of its own.

import { Fragment, type ReactNode } from 'react';

import styles from './review.module.css';

// Control characters, and those that change the direction of the text or have no width.
const HIDDEN = /[\p{Cc}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** The parts of a value: plain text, and hidden characters by their code, such as "U+202E". */
export function visibleParts(value: string): { text: string; hidden: boolean }[] {
  const parts: { text: string; hidden: boolean }[] = [];
  let end = 0;
  for (const match of value.matchAll(HIDDEN)) {
    if (match.index > end) {
      parts.push({ text: value.slice(end, match.index), hidden: false });
    }
    const code = match[0].codePointAt(0) ?? 0;
    parts.push({ text: `U+${code.toString(16).toUpperCase().padStart(4, '0')}`, hidden: true });
    end = match.index + match[0].length;
  }
  if (end < value.length) {
    parts.push({ text: value.slice(end), hidden: false });
  }
  return parts;
}

/** A value as one line of text, with its hidden characters by their codes; for labels and titles. */
export function visibleText(value: string): string {
  return visibleParts(value)
    .map(({ text, hidden }) => (hidden ? `‹${text}›` : text))
    .join('');
}

/** A value of a roster, kept apart from the text around it. */
export function Value({ children }: { readonly children: string }): ReactNode {
  // Nearly all values are plain.
  if (children.search(HIDDEN) < 0) {
    return children === '' ? null : <bdi>{children}</bdi>;
  }
  const parts = visibleParts(children);
  return (
    <bdi>
      {parts.map(({ text, hidden }, index) =>
        hidden ? (
          <span key={index} className={styles.hiddenCharacter} title="A character that cannot be seen">
            {text}
          </span>
        ) : (
          <Fragment key={index}>{text}</Fragment>
        ),
      )}
    </bdi>
  );
}
