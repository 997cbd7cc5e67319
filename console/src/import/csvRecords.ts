// Finds records of a CSV file by the lines on which they start, as the server has named them. It splits quotes and lines
// alone: what a record means is the server's word. The file is read in pieces, and only the wanted records are kept.

export interface CsvReading {
  readonly charset: string;
  /** One character. */
  readonly delimiter: string;
  /** Lines above the header that are no records. */
  readonly skipLeadingLines: number;
  /** Lines below them that begin with one of these are no records. */
  readonly ignoredLinePrefixes: readonly string[];
}

export interface CsvRecord {
  readonly fields: readonly string[];
  /** The record as the file has it, without its line end. */
  readonly text: string;
}

export interface FoundRecords {
  /** The lines above the header. */
  readonly leading: readonly string[];
  readonly header: readonly string[];
  /** The wanted records, by line (1 = first line of the file). */
  readonly byLine: ReadonlyMap<number, CsvRecord>;
}

const PIECE_BYTES = 1024 * 1024;

export async function findRecords(
  file: Blob,
  reading: CsvReading,
  wanted: ReadonlySet<number>,
): Promise<FoundRecords> {
  const leading: string[] = [];
  let header: readonly string[] | undefined;
  const byLine = new Map<number, CsvRecord>();
  const splitter = new RecordSplitter(reading, (line, text) => {
    if (line <= reading.skipLeadingLines) {
      leading.push(text);
    } else if (header === undefined) {
      const fields = fieldsOf(text, reading.delimiter);
      if (fields.some((field) => field.trim() !== '') && !/^"?sep=.?"?$/i.test(text.trim())) {
        header = fields;
      }
    } else if (wanted.has(line)) {
      byLine.set(line, { fields: fieldsOf(text, reading.delimiter), text });
    }
  });
  const decoder = new TextDecoder(reading.charset || 'utf-8');
  for (let offset = 0; offset < file.size; offset += PIECE_BYTES) {
    const bytes = await file.slice(offset, offset + PIECE_BYTES).arrayBuffer();
    splitter.push(decoder.decode(bytes, { stream: true }));
  }
  splitter.push(decoder.decode());
  splitter.end();
  return { leading, header: header ?? [], byLine };
}

/** Splits text that comes in pieces into records. */
class RecordSplitter {
  private line = 1;
  private startLine = 1;
  private isQuoted = false;
  /** True: nothing but blanks since the field began. */
  private isFieldStart = true;
  private endedWithCr = false;
  private pieces: string[] = [];

  private readonly delimiter: string;
  private readonly plainLines: number;
  private readonly prefixes: readonly string[];
  /** The beginning of the record while it may be that of an ignored line; undefined: it is none. */
  private beginning: string | undefined = '';
  /** True: the line is no record. Its quotes mean nothing. */
  private isIgnored = false;

  constructor(
    reading: CsvReading,
    private readonly take: (line: number, text: string) => void,
  ) {
    this.delimiter = reading.delimiter;
    this.plainLines = reading.skipLeadingLines;
    this.prefixes = reading.ignoredLinePrefixes;
  }

  push(text: string): void {
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const character = text[at];
      if (character === '\n' && this.endedWithCr) {
        // The second half of a line end.
        this.endedWithCr = false;
        if (!this.isQuoted) {
          from = at + 1;
        }
        continue;
      }
      this.endedWithCr = character === '\r';
      if (character === '\n' || character === '\r') {
        this.line++;
        if (this.isQuoted) {
          // A beginning has no line end.
          this.beginning = undefined;
        }
        if (!this.isQuoted) {
          this.pieces.push(text.slice(from, at));
          from = at + 1;
          this.finish();
        }
      } else {
        this.see(character ?? '');
      }
    }
    this.pieces.push(text.slice(from));
  }

  end(): void {
    if (this.pieces.some((piece) => piece !== '')) {
      this.finish();
    }
  }

  private see(character: string): void {
    this.seeBeginning(character);
    if (this.isIgnored) {
      return;
    }
    if (character === '"' && this.startLine > this.plainLines) {
      if (this.isQuoted) {
        // A doubled quote closes and opens again, which comes to the same.
        this.isQuoted = false;
      } else if (this.isFieldStart || this.wasQuoted) {
        this.isQuoted = true;
        this.wasQuoted = true;
      }
      this.isFieldStart = false;
    } else if (!this.isQuoted) {
      if (character === this.delimiter) {
        this.isFieldStart = true;
        this.wasQuoted = false;
      } else if (character !== ' ') {
        this.isFieldStart = false;
        this.wasQuoted = false;
      }
    }
  }

  private seeBeginning(character: string): void {
    if (this.beginning === undefined || this.startLine <= this.plainLines) {
      return;
    }
    const beginning = this.beginning + character;
    if (this.prefixes.includes(beginning)) {
      this.isIgnored = true;
      this.isQuoted = false;
    }
    const goesOn = !this.isIgnored && this.prefixes.some((prefix) => prefix.startsWith(beginning));
    this.beginning = goesOn ? beginning : undefined;
  }

  /** True: the last character outside quotes was a closing quote, so that another one opens again. */
  private wasQuoted = false;

  private finish(): void {
    if (!this.isIgnored) {
      this.take(this.startLine, this.pieces.join(''));
    }
    this.isIgnored = false;
    this.beginning = '';
    this.pieces = [];
    this.startLine = this.line;
    this.isFieldStart = true;
    this.wasQuoted = false;
  }
}

/** The cells of a record. */
export function fieldsOf(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = /^ *"((?:[^"]|"")*)"/.exec(text.slice(at));
    const after = at + (quoted?.[0].length ?? 0);
    const isWhole = quoted !== null && (after === text.length || text[after] === delimiter);
    const end = isWhole ? after : text.indexOf(delimiter, at);
    const stop = end < 0 ? text.length : end;
    fields.push(isWhole ? (quoted[1] ?? '').replaceAll('""', '"') : text.slice(at, stop));
    if (stop >= text.length) {
      return fields;
    }
    at = stop + 1;
  }
}
